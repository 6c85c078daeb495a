from typing import TYPE_CHECKING, cast

import pytest
from botocore.exceptions import ClientError

from cloudkon.aws.machines.instance_group import WorkerGroup
from cloudkon.errors import CloudKonError, UnavailableError
from tests.support.emulators.scripted_aws import ScriptedClient

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient


def group(said: str) -> WorkerGroup:
    """One that refuses every verb with these words."""
    refusal = ClientError({"Error": {"Code": "ValidationError", "Message": said}}, "Verb")
    client = ScriptedClient({"complete_lifecycle_action": refusal, "set_instance_protection": refusal})
    return WorkerGroup(cast("AutoScalingClient", client), "cloudkon-dev-workers")


def test_nobody_waits_any_more() -> None:
    """An instance whose time was over, or that another process has let go, is let go in peace."""
    group("No active Lifecycle Action found with instance ID i-1").let_go("i-1")


def test_a_machine_that_is_not_in_service_yet_is_asked_for_again() -> None:
    """A worker that begins before Auto Scaling has noted its machine is told to ask again."""
    said = "The instance i-1 is not in InService or EnteringStandby or Standby."
    with pytest.raises(UnavailableError, match="expose i-1 in the group"):
        group(said).protect("i-1", on=False)


def test_what_else_is_wrong_is_told() -> None:
    """Any other refusal is raised, with what was tried."""
    with pytest.raises(CloudKonError, match="let i-1 leave the group cloudkon-dev-workers"):
        group("AutoScalingGroup name not found").let_go("i-1")
    with pytest.raises(CloudKonError, match="protect i-1 in the group cloudkon-dev-workers"):
        group("The instance i-1 is not part of Auto Scaling group").protect("i-1", on=True)
