from typing import Any

import pytest

from cloudkon.aws.stack.changes import Change
from cloudkon.aws.stack.failures import Step
from cloudkon.aws.stack.stack import Stack
from cloudkon.errors import CloudKonError, InputError
from tests.support.emulators.formation import GIVEN, NAME, Formation, ignore, stack_over
from tests.support.still_clock import StillClock

CREATED = [("Ledger", "CREATE_COMPLETE", ""), (NAME, "CREATE_COMPLETE", "")]
DELETED = [("Ledger", "DELETE_COMPLETE", ""), (NAME, "DELETE_COMPLETE", "")]


def test_up_creates_what_is_missing() -> None:
    """A stack that does not exist is created, step by step before our eyes, to vanish by itself if that fails."""
    formation, told = Formation(create=CREATED), list[Step]()
    stack_over(formation).up("template", GIVEN, told.append)
    assert formation.calls == ["create DELETE"]
    assert [(step.resource, step.status) for step in told] == [(name, status) for name, status, _ in CREATED]


TAKEN = "You must wait 60 seconds after deleting a queue before you can create another with the same name."


def test_a_stack_comes_back_as_soon_as_its_queues_names_are_free() -> None:
    """SQS keeps the name of a queue for a minute after its deletion: up says so, waits, and creates the stack then."""
    failed = [("TaskQueue", "CREATE_FAILED", TAKEN), (NAME, "DELETE_COMPLETE", "")]

    class Again(Formation):
        """Whose second creation goes well."""

        def create_stack(self, **asked: Any) -> Any:
            answer = super().create_stack(**asked)
            self.scripts = {"create": CREATED}
            return answer

    formation, told, clock = Again(create=failed), list[Step](), StillClock()
    client: Any = formation
    Stack(client, NAME, clock).up("template", GIVEN, told.append)
    assert formation.calls == ["create DELETE"] * 2
    assert 60 < sum(clock.slept) < 90
    assert [step.status for step in told if "just deleted" in step.reason] == ["WAITING"]


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("with an explicit deny in a service control policy", "--parameter PermissionsBoundaryArn="),
        ("The specified instance type is not eligible for Free Tier", "--parameter InstanceType=c7i-flex.large"),
        ("InvalidKMSKey.InvalidState", "see docs/deploy.md"),
    ],
)
def test_what_an_account_refuses_is_told_with_what_helps(reason: str, hint: str) -> None:
    """A refusal that comes of the account's own rules names the parameter that fits them."""
    failed = [("WorkerRole", "CREATE_FAILED", reason), (NAME, "DELETE_COMPLETE", "")]
    with pytest.raises(CloudKonError, match=f"{reason} .*{hint}"):
        stack_over(Formation(create=failed)).up("template", GIVEN, ignore)


def test_up_again_changes_nothing() -> None:
    """A stack that is as the template wants it is left alone."""
    formation = Formation("CREATE_COMPLETE")
    stack_over(formation).up("template", GIVEN, ignore)
    assert formation.status == "CREATE_COMPLETE"


def test_up_updates_what_differs() -> None:
    """A stack that differs from the template is updated, and only the new steps are told."""
    formation, told = Formation("CREATE_COMPLETE", update=[(NAME, "UPDATE_COMPLETE", "")]), list[Step]()
    formation.events = [{"EventId": "old"}]
    stack_over(formation).up("template", GIVEN, told.append)
    assert (formation.calls, [step.status for step in told]) == (["update"], ["UPDATE_COMPLETE"])


def test_parameters_stay_what_they_were() -> None:
    """What was set once is kept, unless it is given anew; what the template no longer knows is dropped."""
    formation = Formation("CREATE_COMPLETE", update=[(NAME, "UPDATE_COMPLETE", "")])
    formation.before = {"Stage": "dev", "MaxWorkers": "8", "Gone": "1"}
    stack_over(formation).up("template", GIVEN, ignore)
    assert formation.asked["Parameters"] == [
        {"ParameterKey": "Stage", "ParameterValue": "dev"},
        {"ParameterKey": "MaxWorkers", "UsePreviousValue": True},
    ]
    assert formation.asked["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert formation.asked["Tags"] == [{"Key": "cloudkon:stage", "Value": "dev"}]


def test_unknown_parameters_are_refused() -> None:
    """A parameter that the template does not know is refused with those that it knows, before anything is asked."""
    formation = Formation("CREATE_COMPLETE")
    with pytest.raises(InputError, match=r"no parameter MaxWorker\. It has: MaxWorkers, Stage"):
        stack_over(formation).up("template", {**GIVEN, "MaxWorker": "8"}, ignore)
    assert formation.calls == []


def test_diff_reads_every_page_and_changes_nothing() -> None:
    """What would change is told from all pages of a change set, which is gone then; the stack is untouched."""
    formation = Formation("UPDATE_COMPLETE")
    detail = {"Target": {"Attribute": "Properties", "Name": "MaxSize"}}
    group = {"Action": "Modify", "LogicalResourceId": "Group", "ResourceType": "T", "Replacement": "False"}
    formation.answers = [
        {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": group | {"Details": [detail, detail]}}]},
        {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": {"Action": "Add", "LogicalResourceId": "New"}}]},
    ]
    formation.answers[0]["NextToken"] = "1"
    assert stack_over(formation).diff("template", GIVEN) == [
        Change("Modify", "Group", "T", "False", ["MaxSize"]),
        Change("Add", "New", "", "False", []),
    ]
    assert formation.calls == ["change set deleted", "change set UPDATE", "change set deleted"]


def test_diff_of_nothing() -> None:
    """A stack that is as the template wants it has no changes, which CloudFormation calls a failure."""
    formation = Formation("UPDATE_COMPLETE")
    formation.answers = [{"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}]
    assert stack_over(formation).diff("template", GIVEN) == []


def test_diff_that_fails_says_why() -> None:
    """What CloudFormation can't work out is an error with its reason, and no change set is left."""
    formation = Formation("UPDATE_COMPLETE")
    formation.answers = [{"Status": "FAILED", "StatusReason": "no such thing"}]
    with pytest.raises(CloudKonError, match="can't tell what would change in the stack cloudkon-dev: no such thing"):
        stack_over(formation).diff("template", GIVEN)
    assert formation.calls[-1] == "change set deleted"


def test_diff_of_a_stack_that_is_not_there() -> None:
    """For a stack that does not exist all is new, and nothing of it is left, not even empty."""
    formation = Formation(delete=[])
    formation.answers = [{"Status": "CREATE_COMPLETE", "Changes": []}]
    stack_over(formation).diff("template", GIVEN)
    assert formation.calls == ["change set deleted", "change set CREATE", "change set deleted", "delete"]


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"])
def test_diff_of_a_stack_in_trouble(status: str) -> None:
    """A stack that failed, or is being changed, is not asked, and stays as it is."""
    formation = Formation(status)
    with pytest.raises(CloudKonError, match=f"in the state {status}"):
        stack_over(formation).diff("template", GIVEN)
    assert formation.calls == []


def test_up_waits_for_an_interrupted_up() -> None:
    """A creation that an interrupted command began is waited for, not disturbed."""
    formation = Formation("CREATE_IN_PROGRESS", now=[("Ledger", "CREATE_COMPLETE", ""), *CREATED])
    stack_over(formation).up("template", GIVEN, ignore)
    assert (formation.calls, formation.status) == ([], "CREATE_COMPLETE")


def test_up_replaces_a_stillborn_stack() -> None:
    """A stack whose creation failed can't be updated: it is deleted and created anew."""
    formation = Formation("ROLLBACK_COMPLETE", delete=DELETED, create=CREATED)
    stack_over(formation).up("template", GIVEN, ignore)
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
        stack_over(Formation(create=failing)).up("template", GIVEN, ignore)


def test_a_stack_that_is_taken_down_is_gone() -> None:
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
def test_a_stack_stands_when_it_can_be_used_as_it_is(status: str | None, stands: bool) -> None:  # noqa: FBT001 (the parameter is the answer)
    """A stack stands when it can be used as it is, an update that was rolled back included."""
    assert stack_over(Formation(status)).stands() is stands
