"""Brings a stage's CloudFormation stack up, takes it down, and says why when it fails."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.aws.stack.changes import Asked, Change, begin_repair, changes
from cloudkon.aws.stack.failures import StackFailedError, Step
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, InputError
from cloudkon.stage.names import STAGE_TAG

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackEventTypeDef, StackTypeDef

_FIRST_POLL_S = 0.2
_LONGEST_POLL_S = 3.0
# A stack whose creation failed can't be updated, only deleted.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
_REVIEWED = "REVIEW_IN_PROGRESS"
_STILLBORN = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", _REVIEWED})
_STANDING = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})


_NAME_FREE_S = 65.0
"""For so long SQS keeps the name of a queue that was deleted, and some more."""
Progress = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a stack, as it is."""

    name: str
    type: str
    id: str
    status: str


class Stack:
    """One CloudFormation stack, by its name; every verb waits until the stack has settled."""

    def __init__(self, client: "CloudFormationClient", name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock

    def status(self) -> str | None:
        """What CloudFormation calls the stack's state; None if there is no such stack."""
        found = self._find(self._name)
        return found["StackStatus"] if found else None

    def stands(self) -> bool:
        """Whether the stack can be used as it is."""
        return self.status() in _STANDING

    def outputs(self) -> Mapping[str, str]:
        """What the stack tells of itself; nothing if there is no stack."""
        found = self._find(self._name)
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])} if found else {}

    def parameters(self) -> Mapping[str, str]:
        """What the stack was last given; nothing if there is none."""
        found = self._find(self._name)
        return _values(found) if found else {}

    def resources(self) -> list[Resource]:
        """The resources of the stack, in the order of their names."""
        with translated(f"list the resources of the stack {self._name}"):
            pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self._name)
            found = [
                Resource(
                    one["LogicalResourceId"],
                    one["ResourceType"],
                    one.get("PhysicalResourceId", ""),
                    one["ResourceStatus"],
                )
                for page in pages
                for one in page["StackResourceSummaries"]
            ]
        return sorted(found, key=lambda one: one.name)

    def defaults(self, template: str) -> Mapping[str, str]:
        """The parameters that a template knows, with what they are unless they are given; "" for nothing."""
        with translated("have the template checked"):
            known = self._client.get_template_summary(TemplateBody=template)["Parameters"]
        return {one["ParameterKey"]: one.get("DefaultValue", "") for one in known}

    def up(self, template: str, given: Mapping[str, str], progress: Progress) -> None:
        """Create the stack, or update it to the template; raise CloudKonError with the failing resource's reason.

        Parameters that are not given stay what they were.
        """
        found = self._settled(progress)
        if found and found["StackStatus"] in _STILLBORN:
            self.down(progress)
            found = None
        asked = self._asked(template, given, found)
        if found:
            self._update(found["StackId"], asked, progress)
            return
        try:
            self._create(asked, progress)
        except StackFailedError as error:
            if not error.over_a_name:
                raise
            progress(Step(self._name, "WAITING", f"a queue of the name was just deleted: {_NAME_FREE_S:.0f} s"))
            self._clock.sleep(_NAME_FREE_S)
            self._create(asked, progress)

    def repair(self, template: str, given: Mapping[str, str], progress: Progress) -> bool:
        """Undo what was changed or deleted by hand, and bring the stack to the template; False if all was as it is."""
        found = self._settled(progress)
        if found is None or found["StackStatus"] not in _STANDING:
            raise CloudKonError(f"The stack {self._name} does not stand. Bring it up first: cloudkon-cli stack up")
        seen = self._seen(found["StackId"])
        if not begin_repair(self._client, self._asked(template, given, found), self._clock):
            return False
        self._wait(found["StackId"], "UPDATE_COMPLETE", seen, progress)
        return True

    def diff(self, template: str, given: Mapping[str, str]) -> list[Change]:
        """What up would change, were it called now; raise CloudKonError if the stack is in no state to tell."""
        found = self._find(self._name)
        is_new = found is None or found["StackStatus"] == _REVIEWED
        if found and not is_new and found["StackStatus"] not in _STANDING:
            raise CloudKonError(
                f"The stack {self._name} is in the state {found['StackStatus']}; up waits, or repairs it."
            )
        asked = self._asked(template, given, None if is_new else found)
        return changes(self._client, asked, self._clock, is_new=is_new)

    def down(self, progress: Progress) -> None:
        """Delete the stack; fine if there is none. Raise CloudKonError with the failing resource's reason."""
        found = self._settled(progress)
        if not found:
            return
        seen = self._seen(found["StackId"])
        with translated(f"delete the stack {self._name}"):
            self._client.delete_stack(StackName=self._name)
        self._wait(found["StackId"], "DELETE_COMPLETE", seen, progress)

    def _create(self, asked: Asked, progress: Progress) -> None:
        with translated(f"create the stack {self._name}"):
            # nothing is left half done
            stack_id = self._client.create_stack(**asked, OnFailure="DELETE")["StackId"]
        self._wait(stack_id, "CREATE_COMPLETE", set(), progress)

    def _update(self, stack_id: str, asked: Asked, progress: Progress) -> None:
        seen = self._seen(stack_id)
        with translated(f"update the stack {self._name}"):
            try:
                self._client.update_stack(**asked)
            except ClientError as error:
                if _says(error, "No updates"):
                    return
                raise
        self._wait(stack_id, "UPDATE_COMPLETE", seen, progress)

    def _asked(self, template: str, given: Mapping[str, str], found: "StackTypeDef | None") -> Asked:
        known = self.defaults(template)
        refuse_unknown(given, known)
        kept = (_values(found).keys() & known.keys()) - given.keys() if found else set[str]()
        parameters: list[ParameterTypeDef] = [
            {"ParameterKey": name, "ParameterValue": value} for name, value in sorted(given.items())
        ]
        parameters += [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)]
        return {
            "StackName": self._name,
            "TemplateBody": template,
            "Parameters": parameters,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],  # it makes roles, and calls them by names
            # Handed on to whatever can be tagged: the bill tells stages apart, and what is left over is found.
            "Tags": [{"Key": STAGE_TAG, "Value": given["Stage"]}],
        }

    def _settled(self, progress: Progress) -> "StackTypeDef | None":
        """The stack once nobody is changing it: an earlier, interrupted command's work goes on in AWS."""
        found = self._find(self._name)
        if found and found["StackStatus"].endswith("_IN_PROGRESS") and found["StackStatus"] not in _STILLBORN:
            self._watch(found["StackId"], self._seen(found["StackId"]), progress)
            return self._find(self._name)
        return found

    def _wait(self, stack_id: str, wanted: str, seen: set[str], progress: Progress) -> None:
        failures: list[Step] = []

        def note(step: Step) -> None:
            if step.status.endswith("_FAILED") and "cancelled" not in step.reason:
                failures.append(step)
            progress(step)

        status = self._watch(stack_id, seen, note)
        if status != wanted:
            raise StackFailedError(self._name, status, failures)

    def _watch(self, stack_id: str, seen: set[str], progress: Progress) -> str:
        """Tell every new step until the stack has settled; return the state it settled in."""
        pause_s = _FIRST_POLL_S
        while True:
            found = self._find(stack_id)
            for event in reversed(self._events(stack_id)):
                if event["EventId"] not in seen:
                    seen.add(event["EventId"])
                    progress(_step(event))
            if found is None:
                return "DELETE_COMPLETE"
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return found["StackStatus"]
            self._clock.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_POLL_S)

    def _find(self, name_or_id: str) -> "StackTypeDef | None":
        with translated(f"describe the stack {self._name}"):
            try:
                found = self._client.describe_stacks(StackName=name_or_id)["Stacks"]
            except ClientError as error:
                if _says(error, "does not exist"):
                    return None
                raise
            return found[0] if found else None

    def _events(self, stack_id: str) -> "list[StackEventTypeDef]":
        with translated(f"read the events of the stack {self._name}"):
            pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
            return [event for page in pages for event in page["StackEvents"]]

    def _seen(self, stack_id: str) -> set[str]:
        return {event["EventId"] for event in self._events(stack_id)}


def refuse_unknown(given: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Raise InputError for parameters that the template does not have."""
    if unknown := sorted(given.keys() - known.keys()):
        raise InputError(f"The stack has no parameter {' or '.join(unknown)}. It has: {', '.join(sorted(known))}.")


def _values(found: "StackTypeDef") -> dict[str, str]:
    return {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])}


def _says(error: ClientError, words: str) -> bool:
    """CloudFormation tells these answers apart by their text only."""
    return error_code(error) == "ValidationError" and words in str(error)


def _step(event: "StackEventTypeDef") -> Step:
    return Step(
        event.get("LogicalResourceId", ""), event.get("ResourceStatus", ""), event.get("ResourceStatusReason", "")
    )
