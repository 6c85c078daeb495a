from datetime import UTC, datetime, timedelta
from typing import Any

from cloudkon.aws.checkups.worker_logs import check_worker_logs
from cloudkon.stage.checkup import Verdict
from tests.support.emulators.checkups import NAMES, problems, subject, verdicts
from tests.support.emulators.scripted_aws import refusal
from tests.support.still_clock import StillClock

NOW = datetime.fromtimestamp(StillClock().now_ms() / 1000, UTC)


def machine(name: str, minutes: int, role: str = NAMES.worker_role, state: str = "running") -> dict[str, Any]:
    return {
        "InstanceId": name,
        "State": {"Name": state},
        "LaunchTime": NOW - timedelta(minutes=minutes),
        "IamInstanceProfile": {"Arn": f"arn:aws:iam::123456789012:instance-profile/{role}"},
    }


def looked_at(*machines: dict[str, Any], streams: Any) -> Any:
    answer = {"describe_instances": {"Reservations": [{"Instances": list(machines)}]}}
    return check_worker_logs(subject(ec2=answer, logs={"describe_log_streams": streams}))


def streams_of(*names: str) -> Any:
    def answer(logGroupName: str, logStreamNamePrefix: str) -> Any:  # noqa: N803 (boto3's names)
        assert logGroupName == NAMES.worker_log_group
        return {"logStreams": [{"logStreamName": name} for name in names if name == logStreamNamePrefix]}

    return answer


def test_a_machine_that_ships_no_log_is_named() -> None:
    """Where the image lacks the agent nothing says so but this: the worker works, and its alarms have no metrics."""
    told = problems(looked_at(machine("i-1", 30), machine("i-2", 30), streams=streams_of("i-1")))
    assert told.startswith("Nothing of i-2 is in ")
    assert "i-1" not in told
    assert "i-1" in problems(looked_at(machine("i-1", 30), streams=refusal("ResourceNotFoundException")))


def test_machines_that_need_not_ship_anything_are_left_alone() -> None:
    """One that has just started, one that has ended, and the one that becomes an image."""
    machines = (
        machine("i-1", 9),
        machine("i-2", 30, state="terminated"),
        machine("i-3", 30, role=NAMES.image_builder_role),
    )
    assert verdicts(looked_at(*machines, streams=streams_of())) == [Verdict.OK]
