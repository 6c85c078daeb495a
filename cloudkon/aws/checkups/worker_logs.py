"""The workers' log: that the agent of each machine ships it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.machines.instances import described
from cloudkon.clock import epoch_ms
from cloudkon.errors import NotFoundError
from cloudkon.stage.checkup import CheckResult, ok, problem
from cloudkon.stage.names import STAGE_TAG

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

_SHIPS_WITHIN_S = 600.0
"""A worker writes its metrics into its log every minute; before, the machine boots and the agent starts."""


def check_worker_logs(subject: Subject) -> Iterator[CheckResult]:
    """Whether each worker's machine that has run for a while has a stream of its own in the log group."""
    names = subject.names
    of_the_stage = described(subject.session.ec2(), {"Name": f"tag:{STAGE_TAG}", "Values": [names.stage]})
    machines = [each["InstanceId"] for each in of_the_stage if _is_to_ship(subject, each)]
    silent = [machine for machine in machines if not _ships(subject, machine)]
    if silent:
        yield problem(
            "worker logs",
            f"Nothing of {', '.join(silent)} is in {names.worker_log_group}: the CloudWatch agent ships no log.",
            f"See what an image lacks: cloudkon-cli workers image build --force --stage {names.stage}",
        )
    else:
        yield ok("worker logs", f"of the {len(machines)} machines that have run for ten minutes, all ship theirs")


def _is_to_ship(subject: Subject, machine: "InstanceTypeDef") -> bool:
    old_ms = subject.clock.now_ms() - _SHIPS_WITHIN_S * 1000
    profile = machine.get("IamInstanceProfile", {}).get("Arn", "")
    return (
        machine["State"]["Name"] == "running"
        and profile.endswith(f"/{subject.names.worker_role}")
        and epoch_ms(machine["LaunchTime"]) < old_ms
    )


def _ships(subject: Subject, machine: str) -> bool:
    group = subject.names.worker_log_group
    try:
        with translated(f"look into {group}"):
            found = subject.session.logs().describe_log_streams(logGroupName=group, logStreamNamePrefix=machine)
    except NotFoundError:
        return False
    return bool(found["logStreams"])
