"""A stage's whole life, by the commands that a person types, from an empty account back to an empty account.

Everything but EC2, Auto Scaling and CloudWatch's alarms is on ministack with IAM enforced (AUTH=true). Those three are a
moto's of the test's own: ministack starts no machines. Its CloudFormation makes the stack whole all the same, with every
parameter at its default: what is of those three it hands on to moto (tests/support/handing_on.py), so that the group, its
hook and its launch template are the template's. moto is patched (tests/support/machine_park.py) where it does not play
what CloudKon relies on; each instance of it is a local process (tests/support/stand_in.py) that is started with what the
user data writes, by the line of the image's unit, and has a metadata service of its own. Its credentials it has from there:
those of the worker's role, whose policies ministack enforces and moto asks for. provision.sh is not run: make test-image does.

Nothing is left on the emulators; on AWS neither, as the log groups are the stack's and go with it, but for what expires by
itself and costs nothing: metrics (15 months) and traces (30 days).
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.inventory import inventory
from tests.support.jobs import JobDesk
from tests.support.joined_cloud import JoinedCloud, joined_cloud
from tests.support.waiting import eventually

CHALICE_DELETE = ("-c", "import sys; from chalice.cli import main; sys.exit(main())", "delete", "--stage", "dev")
TASKS = 400
WORKLOAD = b"#cloudkon: bundle=4\n" + b"sleep 100\n" * TASKS
# What the doctor finds wrong with the emulators, and not with us.
UNPLAYED = {
    ("expiry", "problem"),  # ministack's CloudFormation passes TimeToLiveSpecification over
    ("recovery", "problem"),  # and PointInTimeRecoverySpecification too
    ("quotas", "unknown"),  # moto knows no quotas of EC2
}
NO_IMAGE_YET = ("image", "problem")


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JoinedCloud]:
    with joined_cloud(tmp_path_factory.mktemp("joined")) as found:
        yield found


def test_a_stage_comes_works_and_goes(cloud: JoinedCloud) -> None:
    """Machines of the group run a workload, each task once, go when they are told to, and the account is as it was."""
    names, before = cloud.names, inventory(cloud)
    bring_up(cloud)
    with cloud.person("builder", names.image_policy) as builder:
        image = build_image(builder)
    cloud.run("stack", "up")
    assert doctors_findings(cloud) == UNPLAYED
    with cloud.person("operator", names.operator_policy) as operator:
        machines = start_workers(operator, image)
        work_and_scale_in(operator, machines)
        cloud_is_quiet(operator, machines)
    take_down(cloud)
    assert inventory(cloud) == before


def bring_up(cloud: JoinedCloud) -> None:
    cloud.run("stack", "up")
    told = cloud.run("deploy", code=1)  # there is no image yet, and the doctor says so
    assert "workers image build --stage dev" in told
    assert doctors_findings(cloud) == UNPLAYED | {NO_IMAGE_YET}


def doctors_findings(cloud: JoinedCloud) -> set[tuple[str, str]]:
    """What is not well."""
    findings = map(json.loads, cloud.run("doctor", "--json", code=1).splitlines())
    return {(each["subject"], each["verdict"]) for each in findings if each["verdict"] != "ok"}


def build_image(builder: JoinedCloud) -> str:
    """An instance has found the wheel with its role, said that it is ready, and is gone; the image is taken."""
    image: str = json.loads(builder.run("workers", "image", "build", "--json"))["image"]
    (listed,) = map(json.loads, builder.run("workers", "image", "list", "--json").splitlines())
    assert (listed["id"], listed["current"], listed["instances"]) == (image, True, [])
    (off,) = builder.journal("off")
    assert off["instance"] not in inventory(builder)["instances"]
    return image


def start_workers(operator: JoinedCloud, image: str) -> set[str]:
    """Two machines of the image report; each runs what the launch template's user data has it run."""
    operator.run("workers", "start", "--count", "2", "--wait", "120")
    listed = [json.loads(line) for line in operator.run("workers", "list", "--json").splitlines()]
    machines = {each["instance"]["id"] for each in listed}
    assert [(each["state"], each["slots"], each["reason"]) for each in listed] == [
        ("idle", 2, "no task is waiting")
    ] * 2
    started = operator.journal("started")
    assert {each["instance"] for each in started} == machines
    assert {each["environment"]["WORKER_OPTIONS"] for each in started} == {"--threads 2 --processes 1 "}
    found = operator.client("ec2").describe_instances(InstanceIds=sorted(machines))["Reservations"]
    assert {each["ImageId"] for reservation in found for each in reservation["Instances"]} == {image}
    return machines


def work_and_scale_in(operator: JoinedCloud, machines: set[str]) -> None:
    """A machine that the group wants to end while it is busy stays until it is not; the job does not notice."""
    desk = JobDesk(operator.aws)
    job = desk.drop("in/tasks.txt", WORKLOAD)
    for machine in machines:
        operator.await_event("protected", machine)
    operator.run("workers", "scale", "0", "1")
    stats = desk.finish(job)
    assert (stats["tasks"]["total"], stats["tasks"]["succeeded"]) == (TASKS, TASKS)
    assert (stats["executions"], stats["unrecorded_runs"], stats["bundles"]["done"]) == (TASKS, 0, TASKS / 4)
    assert len(stats["workers"]) == 2
    lines = [result["line"] for result in desk.results(job)]
    assert sorted(lines) == list(range(2, TASKS + 2))
    completions = desk.completions(job, TASKS // 4)
    operator.await_event("completed")
    last_ms = max(record["completed_ms"] for record in completions)
    (ending,) = operator.journal("ending")
    assert (ending["protected"], ending["at"] * 1000 > last_ms) == (False, True)


def cloud_is_quiet(operator: JoinedCloud, machines: set[str]) -> None:
    """The group let one machine go, the operator the other: both have drained, said so, and ended well."""
    operator.run("workers", "stop", "--wait", "120")

    def look() -> bool:
        """Both machines off"""
        return machines <= {told["instance"] for told in operator.journal("off")}

    eventually(look)
    for machine in machines:
        story = [told for told in operator.journal() if told["instance"] == machine and told["event"] != "asked"]
        assert [told["event"] for told in story[-5:]] == ["exposed", "ending", "completed", "ended", "off"]
        assert [told[key] for told in story[-3:] for key in ("result", "code") if key in told] == ["CONTINUE", 0, 0]
    asked = {(told["action"], told["decision"]) for told in operator.journal("asked")}
    assert asked == {
        ("autoscaling:SetInstanceProtection", "allowed"),
        ("autoscaling:CompleteLifecycleAction", "allowed"),
    }
    assert inventory(operator)["instances"] == []


def take_down(cloud: JoinedCloud) -> None:
    deleted = cloud.ran(sys.executable, *CHALICE_DELETE)
    assert deleted.returncode == 0, deleted.stderr
    cloud.run("stack", "down", "--delete-data")
    told: dict[str, Any] = json.loads(cloud.run("workers", "image", "prune", "--keep", "0", "--yes", "--json"))
    assert len(told["deleted"]) == 1
