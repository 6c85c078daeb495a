"""Asks CloudFormation what an update would do, by a change set that is deleted again."""

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

_NAME = "cloudkon-diff"
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
    _delete(client, stack)  # an earlier one, whose command was interrupted
    try:
        with translated(f"ask what would change in the stack {stack}"):
            client.create_change_set(**asked, ChangeSetName=_NAME, ChangeSetType="CREATE" if is_new else "UPDATE")
        return list(_settled(client, stack, clock))
    finally:
        _delete(client, stack)
        if is_new:  # CloudFormation keeps an empty stack under review, for the change set's sake
            with translated(f"delete the empty stack {stack}"):
                client.delete_stack(StackName=stack)


def _settled(client: "CloudFormationClient", stack: str, clock: Clock) -> Iterator[Change]:
    page = _page(client, stack)
    while page["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        clock.sleep(_POLL_S)
        page = _page(client, stack)
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
        page = _page(client, stack, page["NextToken"])


def _page(client: "CloudFormationClient", stack: str, token: str = "") -> "DescribeChangeSetOutputTypeDef":
    with translated(f"read what would change in the stack {stack}"):
        if token:
            return client.describe_change_set(StackName=stack, ChangeSetName=_NAME, NextToken=token)
        return client.describe_change_set(StackName=stack, ChangeSetName=_NAME)


def _change(change: "ResourceChangeTypeDef") -> Change:
    names = {detail.get("Target", {}).get("Name", "") for detail in change.get("Details", [])}
    return Change(
        action=change.get("Action", ""),
        resource=change.get("LogicalResourceId", ""),
        type=change.get("ResourceType", ""),
        replacement=change.get("Replacement", "False"),
        properties=sorted(names - {""}),
    )


def _delete(client: "CloudFormationClient", stack: str) -> None:
    with translated(f"delete the change set of the stack {stack}"):
        try:
            client.delete_change_set(StackName=stack, ChangeSetName=_NAME)
        except ClientError as error:
            if error_code(error) not in ("ChangeSetNotFound", "ChangeSetNotFoundException", "ValidationError"):
                raise
