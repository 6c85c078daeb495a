"""CloudFormation with one stack, as a test scripts it."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from cloudkon.aws.stack.failures import Step
from cloudkon.aws.stack.stack import Stack
from tests.support.still_clock import StillClock

NAME = "cloudkon-dev"
GIVEN = {"Stage": "dev"}


class Formation:
    """CloudFormation with one stack; what a verb leads to is scripted as (resource, status, reason), a step a poll."""

    def __init__(self, status: str | None = None, **scripts: list[tuple[str, str, str]]) -> None:
        self.status = status
        self.scripts = scripts
        self.steps = list(scripts.get("now", []))
        self.calls: list[str] = []
        self.events: list[dict[str, str]] = []
        self.before: dict[str, str] = {}
        self.asked: dict[str, Any] = {}
        self.answers: list[dict[str, Any]] = []

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803 (boto3's name)
        if self.steps:
            self._step(*self.steps.pop(0))
        gone = self.status is None or (self.status == "DELETE_COMPLETE" and StackName == NAME)
        if gone:
            raise refusal(f"Stack with id {StackName} does not exist")
        before = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.before.items()]
        return {"Stacks": [{"StackId": "arn:stack", "StackStatus": self.status, "Parameters": before}]}

    def get_template_summary(self, **_: Any) -> Any:
        return {"Parameters": [{"ParameterKey": "Stage"}, {"ParameterKey": "MaxWorkers", "DefaultValue": "4"}]}

    def create_change_set(self, **asked: Any) -> None:
        mode = asked.get("DeploymentMode")
        self.calls.append(f"change set {asked['ChangeSetType']}{f' {mode}' if mode else ''}")
        self.asked = asked

    def describe_change_set(self, **asked: Any) -> Any:
        assert self.calls[-1] != "change set deleted"
        return self.answers[int(asked.get("NextToken", "0"))] if len(self.answers) > 1 else self.answers[0]

    def execute_change_set(self, **_: Any) -> None:
        self._begin("execute", "execute", "UPDATE_IN_PROGRESS")

    def delete_change_set(self, **_: Any) -> None:
        self.calls.append("change set deleted")

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
        self.asked = asked
        self._begin("create", f"create {asked['OnFailure']}", "CREATE_IN_PROGRESS")
        return {"StackId": "arn:stack"}

    def update_stack(self, **asked: Any) -> None:
        self.asked = asked
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
