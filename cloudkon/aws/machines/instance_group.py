"""The group of the workers' instances, as an instance in it sees it."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.errors import UnavailableError
from cloudkon.stage.names import DRAIN_HOOK

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient


class WorkerGroup:
    """Implements ports.InstanceGroup by an auto scaling group."""

    def __init__(self, client: "AutoScalingClient", name: str) -> None:
        self._client = client
        self.name = name

    def protect(self, instance: str, *, on: bool) -> None:
        """Raises UnavailableError while the instance is coming or going, CloudKonError if it is not of the group."""
        what = f"{'protect' if on else 'expose'} {instance} in the group {self.name}"
        with translated(what):
            try:
                self._client.set_instance_protection(
                    InstanceIds=[instance], AutoScalingGroupName=self.name, ProtectedFromScaleIn=on
                )
            except ClientError as error:
                # A worker may work before Auto Scaling has noted that its machine is in service:
                # github.com/infrahouse/infrahouse-toolkit/issues/223, github.com/guardian/riff-raff/pull/510
                if error_code(error) == "ValidationError" and "is not in InService" in str(error):
                    raise UnavailableError(f"Could not {what}: it is not in service.") from error
                raise

    def let_go(self, instance: str) -> None:
        with translated(f"let {instance} leave the group {self.name}"):
            try:
                self._client.complete_lifecycle_action(
                    LifecycleHookName=DRAIN_HOOK,
                    AutoScalingGroupName=self.name,
                    InstanceId=instance,
                    LifecycleActionResult="CONTINUE",
                )
            except ClientError as error:
                # Its time is over, or another process of the instance has said so already.
                if error_code(error) != "ValidationError" or "No active Lifecycle Action" not in str(error):
                    raise
