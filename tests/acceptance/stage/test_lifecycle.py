"""A stage's whole life, by the commands that a person types, from an empty account back to an empty account.

Everything but EC2, Auto Scaling and CloudWatch's alarms is on ministack, with IAM enforced (AUTH=true). Those three
are on a moto of the test's own, as ministack starts no machines. Its CloudFormation makes the stack whole all the same,
every parameter at its default: what is of those three it asks moto for (tests/support/worlds/handing_on.py), so that
the group, its hook and its launch template are the template's.

moto is patched where it does not play what CloudKon relies on (tests/support/machines/machine_park.py). Each instance
of it is a local process (tests/support/machines/stand_in.py) with the environment that the user data writes, started by
the line of the image's unit, with a metadata service of its own. That gives it its only credentials: those of the
worker's role, whose policies ministack enforces, and moto asks for. provision.sh is run by make test-image.

Nothing is left on the emulators. On AWS neither, as the log groups are the stack's and go with it, but for what costs
nothing and expires by itself: metrics (15 months) and traces (30 days).
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.emulators.inventory import inventory
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.joined_cloud import JoinedCloud, joined_cloud

TASKS = 400
WORKLOAD = b"#cloudkon: bundle=4\n" + b"sleep 100\n" * TASKS
# What the doctor finds wrong with the emulators, and not with us.
UNPLAYED = {("quotas", "unknown"), ("disks", "unknown")}  # moto knows no quotas of EC2, and no default key of disks
NO_IMAGE_YET = ("image", "absent")


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
        last_ms = work_and_scale_in(operator, list(machines))
        stop_workers(operator)
    for machine, worker in machines.items():
        tell_its_end(cloud, machine, last_ms[worker])
    take_down(cloud)
    assert inventory(cloud) == before


def bring_up(cloud: JoinedCloud) -> None:
    cloud.run("stack", "up")
    told = cloud.run("deploy")  # ends as the doctor does: without a problem
    assert "workers image build --stage dev" in told
    assert doctors_findings(cloud) == UNPLAYED | {NO_IMAGE_YET}


def doctors_findings(cloud: JoinedCloud) -> set[tuple[str, str]]:
    """What is not well."""
    findings = map(json.loads, cloud.run("doctor", "--json").splitlines())
    return {(each["subject"], each["verdict"]) for each in findings if each["verdict"] != "ok"}


def build_image(builder: JoinedCloud) -> str:
    """An instance has found the wheel with its role, said that it is ready, and is gone; the image is taken."""
    image: str = json.loads(builder.run("workers", "image", "build", "--json"))["image"]
    (listed,) = map(json.loads, builder.run("workers", "image", "list", "--json").splitlines())
    assert (listed["id"], listed["current"], listed["instances"]) == (image, True, [])
    (off,) = builder.journal("off")
    assert off["instance"] not in inventory(builder)["instances"]
    return image


def start_workers(operator: JoinedCloud, image: str) -> dict[str, str]:
    """Two machines of the image report, each having run what its user data says; return the worker of each."""
    operator.run("workers", "start", "--count", "2", "--wait", "120")
    listed = [json.loads(line) for line in operator.run("workers", "list", "--json").splitlines()]
    machines = {each["instance"]["id"]: each["worker"] for each in listed}
    assert [(each["state"], each["slots"], each["reason"]) for each in listed] == [
        ("idle", 2, "no task is waiting"),
        ("idle", 2, "no task is waiting"),
    ]
    started = operator.journal("started")
    assert {each["instance"] for each in started} == machines.keys()
    assert {each["environment"]["WORKER_OPTIONS"] for each in started} == {"--threads 2 --processes 1 "}
    found = operator.client("ec2").describe_instances(InstanceIds=list(machines))["Reservations"]
    assert {each["ImageId"] for reservation in found for each in reservation["Instances"]} == {image}
    return machines


def work_and_scale_in(operator: JoinedCloud, machines: list[str]) -> dict[str, int]:
    """While both machines are busy the group is to lose one, and the job does not notice. Return each one's end."""
    desk = JobDesk(operator.aws)
    job = desk.drop("in/tasks.txt", WORKLOAD)
    for machine in machines:
        operator.await_event("protected", machine)
    operator.run("workers", "scale", "0", "1")
    stats = desk.finish(job)
    assert (stats["tasks"]["total"], stats["tasks"]["succeeded"]) == (TASKS, TASKS)
    assert (stats["executions"], stats["unrecorded_runs"], stats["bundles"]["done"]) == (TASKS, 0, TASKS / 4)
    assert [result["task"] for result in desk.results(job)] == list(range(2, TASKS + 2))
    completions = sorted(desk.completions(job, TASKS // 4), key=lambda record: record["completed_ms"])
    last_ms = {record["worker"]: record["completed_ms"] for record in completions}
    assert len(stats["workers"]) == len(last_ms) == 2
    gone = operator.await_event("completed")["instance"]
    operator.await_event("gone", gone)
    assert inventory(operator)["instances"] == [machine for machine in machines if machine != gone]
    return last_ms


def stop_workers(operator: JoinedCloud) -> None:
    operator.run("workers", "stop", "--wait", "120")
    assert operator.run("workers", "list", "--json") == ""
    assert inventory(operator)["instances"] == []


def tell_its_end(cloud: JoinedCloud, machine: str, last_ms: int) -> None:
    """Its work done, it gave its protection up, was told to end, drained, said so, as its role may, and ended well."""
    story = [told for told in cloud.journal() if told["instance"] == machine]
    events = [told["event"] for told in story if told["event"] != "asked"]
    assert events[-7:] == ["protected", "exposed", "ending", "completed", "ended", "off", "gone"]
    told = {each["event"]: each for each in story}
    assert told["exposed"]["at"] * 1000 >= last_ms
    assert (told["ending"]["protected"], told["completed"]["result"], told["ended"]["code"]) == (False, "CONTINUE", 0)
    asked = {(each["action"], each["decision"]) for each in story if each["event"] == "asked"}
    assert asked == {
        ("autoscaling:SetInstanceProtection", "allowed"),
        ("autoscaling:CompleteLifecycleAction", "allowed"),
    }


def take_down(cloud: JoinedCloud) -> None:
    cloud.run("undeploy", "--delete-data")
    told: dict[str, Any] = json.loads(cloud.run("workers", "image", "prune", "--keep", "0", "--yes", "--json"))
    assert len(told["deleted"]) == 1
    assert cloud.run("gc", "--json") == ""
