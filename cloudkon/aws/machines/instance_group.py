"""The group of the workers' instances, as an instance in it sees it."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.stage.names import DRAIN_HOOK

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient


class WorkerGroup:
    """Implements ports.InstanceGroup by an auto scaling group."""

    def __init__(self, client: "AutoScalingClient", name: str) -> None:
        self._client = client
        self.name = name

    def protect(self, instance: str, *, on: bool) -> None:
        """Raises CloudKonError if the instance is not of the group."""
        with translated(f"{'protect' if on else 'expose'} {instance} in the group {self.name}"):
            self._client.set_instance_protection(
                InstanceIds=[instance], AutoScalingGroupName=self.name, ProtectedFromScaleIn=on
            )

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
