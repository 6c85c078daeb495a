"""Change sets: one that only asks what an update would do, and one that undoes what was changed by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.literals import CapabilityType
    from mypy_boto3_cloudformation.type_defs import (
        DescribeChangeSetOutputTypeDef,
        ParameterTypeDef,
        ResourceChangeTypeDef,
        TagTypeDef,
    )

_DIFF, _REPAIR = "cloudkon-diff", "cloudkon-repair"
_POLL_S = 1.0
# CloudFormation tells an empty change set from a failed one by its text only.
_EMPTY = ("didn't contain changes", "No updates are to be performed")


class Asked(TypedDict):
    """What a stack is to be, in CloudFormation's words."""

    StackName: str
    TemplateBody: str
    Parameters: "Sequence[ParameterTypeDef]"
    Capabilities: "Sequence[CapabilityType]"
    Tags: "Sequence[TagTypeDef]"


@dataclass(frozen=True, slots=True)
class Change:
    """What would happen to one resource."""

    action: str
    """Add, Modify, Remove, or what else CloudFormation calls it."""
    resource: str
    type: str
    replacement: str
    """True or Conditional when the resource would, or might, be deleted and made anew; else False."""
    properties: Sequence[str]


def changes(client: "CloudFormationClient", asked: Asked, clock: Clock, *, is_new: bool) -> list[Change]:
    """What asked would change; nothing is changed. Raises CloudKonError with CloudFormation's reason."""
    stack = asked["StackName"]
    _delete(client, stack, _DIFF)  # an earlier one, whose command was interrupted
    try:
        with translated(f"ask what would change in the stack {stack}"):
            client.create_change_set(**asked, ChangeSetName=_DIFF, ChangeSetType="CREATE" if is_new else "UPDATE")
        return list(_settled(client, stack, _DIFF, clock))
    finally:
        _delete(client, stack, _DIFF)
        if is_new:  # CloudFormation keeps an empty stack under review, for the change set's sake
            with translated(f"delete the empty stack {stack}"):
                client.delete_stack(StackName=stack)


def begin_repair(client: "CloudFormationClient", asked: Asked, clock: Clock) -> bool:
    """Begin to make every resource what the template says, whatever was done to it; False if nothing has to change.

    An update compares the template with the template before, and leaves alone what somebody has changed or deleted.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
    """
    stack = asked["StackName"]
    _delete(client, stack, _REPAIR)
    with translated(f"ask what was changed by hand in the stack {stack}"):
        client.create_change_set(**asked, ChangeSetName=_REPAIR, ChangeSetType="UPDATE", DeploymentMode="REVERT_DRIFT")
    if not list(_settled(client, stack, _REPAIR, clock)):
        _delete(client, stack, _REPAIR)
        return False
    with translated(f"repair the stack {stack}"):
        client.execute_change_set(StackName=stack, ChangeSetName=_REPAIR)
    return True


def _settled(client: "CloudFormationClient", stack: str, name: str, clock: Clock) -> Iterator[Change]:
    page = _page(client, stack, name)
    while page["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        clock.sleep(_POLL_S)
        page = _page(client, stack, name)
    if page["Status"] == "FAILED":
        reason = page.get("StatusReason", "no reason given")
        if any(words in reason for words in _EMPTY):
            return
        raise CloudKonError(f"CloudFormation can't tell what would change in the stack {stack}: {reason}")
    while True:
        for change in page.get("Changes", []):
            if "ResourceChange" in change:
                yield _change(change["ResourceChange"])
        if "NextToken" not in page:
            return
        page = _page(client, stack, name, page["NextToken"])


def _page(client: "CloudFormationClient", stack: str, name: str, token: str = "") -> "DescribeChangeSetOutputTypeDef":
    with translated(f"read what would change in the stack {stack}"):
        if token:
            return client.describe_change_set(StackName=stack, ChangeSetName=name, NextToken=token)
        return client.describe_change_set(StackName=stack, ChangeSetName=name)


def _change(change: "ResourceChangeTypeDef") -> Change:
    names = {detail.get("Target", {}).get("Name", "") for detail in change.get("Details", [])}
    return Change(
        action=change.get("Action", ""),
        resource=change.get("LogicalResourceId", ""),
        type=change.get("ResourceType", ""),
        replacement=change.get("Replacement", "False"),
        properties=sorted(names - {""}),
    )


def _delete(client: "CloudFormationClient", stack: str, name: str) -> None:
    with translated(f"delete the change set of the stack {stack}"):
        try:
            client.delete_change_set(StackName=stack, ChangeSetName=name)
        except ClientError as error:
            if error_code(error) not in ("ChangeSetNotFound", "ChangeSetNotFoundException", "ValidationError"):
                raise
