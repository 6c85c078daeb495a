from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudkon.aws.stack import Stack, Step
from cloudkon.errors import CloudKonError
from tests.support.still_clock import StillClock

NAME = "cloudkon-dev"


class Formation:
    """CloudFormation with one stack; what a verb leads to is scripted as (resource, status, reason), a step a poll."""

    def __init__(self, status: str | None = None, **scripts: list[tuple[str, str, str]]) -> None:
        self.status = status
        self.scripts = scripts
        self.steps = list(scripts.get("now", []))
        self.calls: list[str] = []
        self.events: list[dict[str, str]] = []

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803 (boto3's name)
        if self.steps:
            self._step(*self.steps.pop(0))
        gone = self.status is None or (self.status == "DELETE_COMPLETE" and StackName == NAME)
        if gone:
            raise refusal(f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackId": "arn:stack", "StackStatus": self.status}]}

    def _step(self, resource: str, status: str, reason: str) -> None:
        event = {"EventId": str(len(self.events)), "LogicalResourceId": resource, "ResourceStatus": status}
        self.events.insert(0, event | ({"ResourceStatusReason": reason} if reason else {}))
        if resource == NAME:
            self.status = status

    def get_paginator(self, _: str) -> "Formation":
        return self

    def paginate(self, **_: Any) -> Iterator[Any]:
        yield {"StackEvents": list(self.events)}

    def create_stack(self, **asked: Any) -> Any:
        self._begin("create", f"create {asked['OnFailure']}", "CREATE_IN_PROGRESS")
        return {"StackId": "arn:stack"}

    def update_stack(self, **_: Any) -> None:
        if "update" not in self.scripts:
            raise refusal("No updates are to be performed.")
        self._begin("update", "update", "UPDATE_IN_PROGRESS")

    def delete_stack(self, **_: Any) -> None:
        self._begin("delete", "delete", "DELETE_IN_PROGRESS")

    def _begin(self, verb: str, call: str, status: str) -> None:
        self.calls.append(call)
        self.status = status
        self.steps = list(self.scripts[verb])


def refusal(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")


def stack_over(formation: Formation) -> Stack:
    client: Any = formation
    return Stack(client, NAME, StillClock())


def ignore(_: Step) -> None:
    pass


CREATED = [("Ledger", "CREATE_COMPLETE", ""), (NAME, "CREATE_COMPLETE", "")]
DELETED = [("Ledger", "DELETE_COMPLETE", ""), (NAME, "DELETE_COMPLETE", "")]


def test_up_creates_what_is_missing() -> None:
    """A stack that does not exist is created, step by step before our eyes, to vanish by itself if that fails."""
    formation, told = Formation(create=CREATED), list[Step]()
    stack_over(formation).up("template", "dev", told.append)
    assert formation.calls == ["create DELETE"]
    assert [(step.resource, step.status) for step in told] == [(name, status) for name, status, _ in CREATED]


def test_up_again_changes_nothing() -> None:
    """A stack that is as the template wants it is left alone."""
    formation = Formation("CREATE_COMPLETE")
    stack_over(formation).up("template", "dev", ignore)
    assert formation.status == "CREATE_COMPLETE"


def test_up_updates_what_differs() -> None:
    """A stack that differs from the template is updated, and only the new steps are told."""
    formation, told = Formation("CREATE_COMPLETE", update=[(NAME, "UPDATE_COMPLETE", "")]), list[Step]()
    formation.events = [{"EventId": "old"}]
    stack_over(formation).up("template", "dev", told.append)
    assert (formation.calls, [step.status for step in told]) == (["update"], ["UPDATE_COMPLETE"])


def test_up_waits_for_an_interrupted_up() -> None:
    """A creation that an interrupted command began is waited for, not disturbed."""
    formation = Formation("CREATE_IN_PROGRESS", now=[("Ledger", "CREATE_COMPLETE", ""), *CREATED])
    stack_over(formation).up("template", "dev", ignore)
    assert (formation.calls, formation.status) == ([], "CREATE_COMPLETE")


def test_up_replaces_a_stillborn_stack() -> None:
    """A stack whose creation failed can't be updated: it is deleted and created anew."""
    formation = Formation("ROLLBACK_COMPLETE", delete=DELETED, create=CREATED)
    stack_over(formation).up("template", "dev", ignore)
    assert (formation.calls, formation.status) == (["delete", "create DELETE"], "CREATE_COMPLETE")


def test_failure_names_the_first_failing_resource() -> None:
    """When a stack fails, the error tells the resource that failed first, and its reason."""
    failing = [
        ("TaskQueue", "CREATE_FAILED", "Resource creation cancelled"),
        ("WorkloadsBucket", "CREATE_FAILED", "cloudkon-dev-workloads already exists"),
        ("Ledger", "CREATE_FAILED", "something that follows from it"),
        (NAME, "DELETE_COMPLETE", ""),
    ]
    with pytest.raises(CloudKonError, match="WorkloadsBucket: cloudkon-dev-workloads already exists"):
        stack_over(Formation(create=failing)).up("template", "dev", ignore)


def test_down_deletes() -> None:
    """A stack that is taken down is gone."""
    formation = Formation("CREATE_COMPLETE", delete=DELETED)
    stack = stack_over(formation)
    stack.down(ignore)
    assert (formation.calls, stack.status()) == (["delete"], None)


def test_down_of_nothing() -> None:
    """Taking down a stack that does not exist is fine and changes nothing."""
    formation = Formation()
    stack_over(formation).down(ignore)
    assert formation.calls == []


def test_down_that_fails_says_why() -> None:
    """A stack that can't be deleted is reported with the resource that stays."""
    failing = [("ResultsBucket", "DELETE_FAILED", "The bucket is not empty"), (NAME, "DELETE_FAILED", "")]
    with pytest.raises(CloudKonError, match=r"ended as DELETE_FAILED. ResultsBucket: The bucket is not empty"):
        stack_over(Formation("CREATE_COMPLETE", delete=failing)).down(ignore)


@pytest.mark.parametrize(
    ("status", "stands"), [(None, False), ("CREATE_IN_PROGRESS", False), ("UPDATE_ROLLBACK_COMPLETE", True)]
)
def test_stands(status: str | None, stands: bool) -> None:  # noqa: FBT001 (the parameter is the answer)
    """A stack stands when it can be used as it is, an update that was rolled back included."""
    assert stack_over(Formation(status)).stands() is stands
