"""The commands that start and end machines, against EC2 and Auto Scaling as moto plays them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.machines.prices import Prices
from cloudkon.clock import SystemClock
from cloudkon.ledger.fleet import Instance, WorkerState
from cloudkon.stage.names import STAGE_TAG, Names
from tests.support.data.rows import worker_status
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.emulators.strict_moto.accounts import free_plan
from tests.support.manual_clock import ManualClock

STAGE = "fleet"
ACCOUNT = "123456789012"  # moto's
NAMES = Names(STAGE, ACCOUNT, "eu-central-1")


@pytest.fixture(scope="module")
def lab(aws: AwsLab) -> AwsLab:
    """A stage with a launch template and a group, as the stack makes them."""
    image = aws.ec2.register_image(Name="fleet")["ImageId"]
    tags: Any = [{"ResourceType": "instance", "Tags": [{"Key": STAGE_TAG, "Value": STAGE}]}]
    aws.ec2.create_launch_template(
        LaunchTemplateName=NAMES.launch_template,
        LaunchTemplateData={"ImageId": image, "InstanceType": "c5.large", "TagSpecifications": tags},
    )
    aws.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=NAMES.worker_group,
        LaunchTemplate={"LaunchTemplateName": NAMES.launch_template, "Version": "$Latest"},
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=0,
        AvailabilityZones=["eu-central-1a"],
    )
    aws.ledger(SystemClock(), name=NAMES.ledger_table)
    aws.queue(ManualClock(), NAMES.task_queue)
    return aws


@pytest.fixture(autouse=True)
def here(lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A person's shell, with nothing running before and after; nobody waits for anything."""
    enter(monkeypatch, lab.environment)
    monkeypatch.setenv("CLOUDKON_STAGE", STAGE)
    monkeypatch.setattr("cli.fleet.machines._POLL_S", 0.0)
    yield
    lab.autoscaling.update_auto_scaling_group(AutoScalingGroupName=NAMES.worker_group, MinSize=0, MaxSize=4)
    lab.autoscaling.set_desired_capacity(AutoScalingGroupName=NAMES.worker_group, DesiredCapacity=0)
    left = [machine["InstanceId"] for machine in machines(lab)]
    if left:
        lab.ec2.terminate_instances(InstanceIds=left)


def machines(lab: AwsLab) -> list[Any]:
    found = lab.ec2.describe_instances(Filters=[{"Name": f"tag:{STAGE_TAG}", "Values": [STAGE]}])["Reservations"]
    every = [instance for reservation in found for instance in reservation["Instances"]]
    return [instance for instance in every if instance["State"]["Name"] in ("pending", "running")]


def group(lab: AwsLab) -> Any:
    [found] = lab.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[NAMES.worker_group])[
        "AutoScalingGroups"
    ]
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["workers", *arguments], catch_exceptions=False)


def announce(lab: AwsLab, machine: Any, state: WorkerState) -> None:
    """Say what a worker on the machine would say."""
    clock = SystemClock()
    ledger = DynamoLedger(lab.dynamodb, NAMES.ledger_table, guard_ms=2_000, retention_s=86_400, clock=clock)
    where = Instance(machine["InstanceId"], machine["InstanceType"], "eu-central-1a")
    ledger.announce(worker_status("w1", seen_ms=clock.now_ms(), state=state, reason="", instance=where))


def test_start_through_the_group(lab: AwsLab) -> None:
    """So many more machines are wanted of the group, which starts them."""
    answer = run("start", "--count", "2", "--wait", "0")
    assert answer.exit_code == 0, answer.output
    assert group(lab)["DesiredCapacity"] == 2
    assert len(machines(lab)) == 2


def test_start_of_a_type(lab: AwsLab) -> None:
    """A machine of one type is started from the same template, and put into the group."""
    answer = run("start", "--type", "c5.xlarge", "--spot", "--wait", "0")
    assert answer.exit_code == 0, answer.output
    [machine] = machines(lab)
    assert machine["InstanceType"] == "c5.xlarge"
    assert [member["InstanceId"] for member in group(lab)["Instances"]] == [machine["InstanceId"]]


def test_a_type_that_the_free_plan_does_not_start_is_told(lab: AwsLab) -> None:
    """An account with AWS's Free Plan starts few types: of another it is said why not, and nothing is left over."""
    with free_plan():
        answer = run("start", "--type", "c5.xlarge", "--wait", "0")
        assert answer.exit_code == 2
        assert "The account has AWS's Free Plan, which starts no c5.xlarge" in answer.stderr
        assert machines(lab) == []
        assert run("start", "--type", "c7i-flex.large", "--wait", "0").exit_code == 0


def test_more_than_the_group_may_have(lab: AwsLab) -> None:
    """Who asks for too many is told how to allow them, and nothing is started."""
    answer = run("start", "--count", "5")
    assert answer.exit_code == 2
    assert "cloudkon-cli workers scale 0 5 --stage fleet" in answer.stderr
    assert machines(lab) == []


def test_start_waits_for_the_workers(lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is done once the machine's worker reports, and what it saw of the machine is told."""

    def report_by_then(_: float) -> None:
        for machine in machines(lab):
            announce(lab, machine, WorkerState.WORKING)

    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: report_by_then(seconds))
    answer = run("start")
    assert answer.exit_code == 0, answer.output
    [machine] = machines(lab)
    told = [line.rpartition(": ") for line in answer.stderr.splitlines()]
    assert {where.split()[0] for where, _, _ in told} == {machine["InstanceId"]}
    assert told[-1][2] == "its worker reports"


def test_start_does_not_wait_for_ever() -> None:
    """A worker that does not report is told after the wait, with where to look."""
    answer = run("start", "--wait", "0.01")
    assert answer.exit_code == 1
    assert "cloudkon-cli workers logs --stage fleet" in answer.stderr


def test_stop_ends_all_machines_and_starts_no_others(lab: AwsLab) -> None:
    """All machines end, and the group does not start others for them."""
    run("start", "--count", "2", "--wait", "0")
    answer = run("stop", "--wait", "10")
    assert answer.exit_code == 0, answer.output
    assert answer.stderr.count("told to drain and end") == 2
    assert machines(lab) == []
    assert group(lab)["DesiredCapacity"] == 0


def test_stop_of_a_stranger(lab: AwsLab) -> None:
    """A machine that the stage does not have is refused, before anything is stopped."""
    run("start", "--wait", "0")
    [machine] = machines(lab)
    answer = run("stop", machine["InstanceId"], "i-0123456789abcdef0")
    assert answer.exit_code == 1
    assert "no machine i-0123456789abcdef0" in answer.stderr
    assert len(machines(lab)) == 1


def test_nothing_to_stop() -> None:
    """Where nothing runs, that is said, and fine."""
    answer = run("stop")
    assert (answer.exit_code, answer.stderr) == (0, "There is no machine to stop.\n")


def test_scale_sets_the_bounds_and_refuses_contradictions(lab: AwsLab) -> None:
    """The group's bounds are set; bounds that contradict each other are refused."""
    assert run("scale", "1", "3").exit_code == 0
    assert (group(lab)["MinSize"], group(lab)["MaxSize"]) == (1, 3)
    assert run("scale", "3", "1").exit_code == 2


def test_list_shows_machines_without_workers(lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose worker has not reported is listed; one whose worker is idle says why."""
    monkeypatch.setattr(Prices, "usd_an_hour", lambda *_: None)  # moto has none, and would be asked again and again
    run("start", "--count", "2", "--wait", "0")
    one, other = machines(lab)
    announce(lab, one, WorkerState.IDLE)
    answer = run("list", "--json", "--stage", STAGE)
    assert answer.exit_code == 0, answer.output
    shown = {line["instance"]["id"]: line for line in map(json.loads, answer.stdout.splitlines())}
    assert shown[one["InstanceId"]]["reason"] == "no task is waiting"
    assert shown[other["InstanceId"]]["worker"] is None
    assert "its worker has not reported" in run("list", "--stage", STAGE).stdout


def test_without_an_image_the_way_to_a_group_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no image has been built yet there is no group, and the way to one is told."""
    monkeypatch.setenv("CLOUDKON_STAGE", "nowhere")
    answer = run("start")
    assert answer.exit_code == 1
    assert "cloudkon-cli workers image build --stage nowhere" in answer.stderr
