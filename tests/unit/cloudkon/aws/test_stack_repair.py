"""A stack that was changed by hand: an update leaves it as it is, and a repair does not."""

import pytest

from cloudkon.aws.stack.failures import Step
from cloudkon.errors import CloudKonError
from tests.support.emulators.formation import GIVEN, NAME, Formation, ignore, stack_over

REPAIR = ["change set deleted", "change set UPDATE REVERT_DRIFT"]
QUEUE = {"Action": "Add", "LogicalResourceId": "ParkedQueue", "ResourceType": "AWS::SQS::Queue"}


def test_a_repair_undoes_what_was_done_by_hand() -> None:
    """CloudFormation is asked to revert the drift, which an update does not look at, and its steps are told."""
    steps = [("ParkedQueue", "CREATE_COMPLETE", ""), (NAME, "UPDATE_COMPLETE", "")]
    formation, told = Formation("UPDATE_COMPLETE", execute=steps), list[Step]()
    formation.answers = [{"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": QUEUE}]}]
    assert stack_over(formation).repair("template", GIVEN, told.append)
    assert formation.calls == [*REPAIR, "execute"]
    assert [step.resource for step in told] == ["ParkedQueue", NAME]
    assert formation.asked["TemplateBody"] == "template"


def test_a_stack_that_nobody_has_touched_needs_no_repair() -> None:
    """Nothing is executed, and no change set is left."""
    formation = Formation("CREATE_COMPLETE")
    formation.answers = [{"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}]
    assert not stack_over(formation).repair("template", GIVEN, ignore)
    assert formation.calls == [*REPAIR, "change set deleted"]


def test_a_repair_that_fails_names_the_resource() -> None:
    """As an update that fails."""
    steps = [("Ledger", "UPDATE_FAILED", "no such key"), (NAME, "UPDATE_ROLLBACK_COMPLETE", "")]
    formation = Formation("CREATE_COMPLETE", execute=steps)
    formation.answers = [{"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": QUEUE}]}]
    with pytest.raises(CloudKonError, match="no such key"):
        stack_over(formation).repair("template", GIVEN, ignore)


def test_what_does_not_stand_can_not_be_repaired() -> None:
    """Where there is no stack, it is told how to get one."""
    with pytest.raises(CloudKonError, match=r"does not stand\. Bring it up first: cloudkon-cli stack up"):
        stack_over(Formation()).repair("template", GIVEN, ignore)
