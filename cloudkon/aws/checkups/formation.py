"""The stack: whether it stands, and whether somebody has changed by hand what it made."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.stack.stack import Stack
from cloudkon.clock import poll
from cloudkon.stage.checkup import CheckResult, ok, problem, unknown

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackResourceDriftTypeDef

_POLL_S = 2.0
_PATIENCE_S = 120.0
_SHOWN = 5
_WRITTEN_LATER = {"Group": frozenset({"/MinSize", "/MaxSize"})}
"""What our own commands change of the stack's resources: workers scale."""


def no_stack(subject: Subject) -> CheckResult:
    """What there is to say where there is no stage."""
    names = subject.names
    says = f"There is no stack {names.stack} in {names.region}, and so nothing else of the stage."
    return problem("stack", says, f"cloudkon-cli deploy --stage {names.stage}")


def check_stack(subject: Subject) -> Iterator[CheckResult]:
    """Whether the stack can be used as it is."""
    name, up = subject.names.stack, f"cloudkon-cli stack up --stage {subject.names.stage}"
    stack = Stack(subject.session.cloudformation(), name, subject.clock)
    status = stack.status()
    if status is None:
        yield no_stack(subject)
    elif not stack.stands():
        yield problem("stack", f"{name} is {status}.", f"Look at its events in the console, then: {up}")
    else:
        yield ok("stack", f"{name}: {status}")


def check_drift(subject: Subject) -> Iterator[CheckResult]:
    """Whether the resources are as the stack made them; takes AWS some seconds to find out."""
    client, name = subject.session.cloudformation(), subject.names.stack
    with translated(f"detect the drift of {name}"):
        detection = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
        for _ in poll(subject.clock, _POLL_S, _PATIENCE_S):
            answer = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
            if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                break
        else:
            yield unknown("drift", f"AWS was still at it after {_PATIENCE_S:.0f} s.", "Ask again in a minute.")
            return
        if answer.get("StackDriftStatus") == "IN_SYNC":
            yield ok("drift", "nothing was changed by hand")
        elif answer.get("StackDriftStatus") == "DRIFTED":
            yield _drifted(_changed(client, name))
        else:
            yield unknown("drift", answer.get("DetectionStatusReason") or "AWS could not tell.")


def _drifted(changed: Sequence[str]) -> CheckResult:
    if not changed:
        return ok("drift", "nothing was changed by hand")
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return problem(
        "drift",
        f"Changed by hand: {', '.join(changed[:_SHOWN])}{more}.",
        "Undo it: cloudkon-cli stack up --repair. Or write it into infrastructure/stack.yaml and run stack up.",
    )


def _changed(client: "CloudFormationClient", name: str) -> list[str]:
    """What is no longer as the stack made it, and is meant to be."""
    changed: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = client.describe_stack_resource_drifts(
            StackName=name,
            StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
            **token,  # type: ignore[arg-type]  # the stubs know no empty page token
        )
        changed += [
            f"{each['LogicalResourceId']} ({each['StackResourceDriftStatus'].lower()})"
            for each in page["StackResourceDrifts"]
            if not _written_later(each)
        ]
        if "NextToken" not in page:
            return changed
        token = {"NextToken": page["NextToken"]}


def _written_later(drift: "StackResourceDriftTypeDef") -> bool:
    differences = {each["PropertyPath"] for each in drift.get("PropertyDifferences", [])}
    return bool(differences) and differences <= _WRITTEN_LATER.get(drift["LogicalResourceId"], frozenset())
