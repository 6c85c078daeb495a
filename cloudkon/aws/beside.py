"""What stands beside a stage's stack: the Lambda, the machines of its group, and the image they start from."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_ssm import SSMClient

_POLL_S = 5.0


def function_exists(client: "LambdaClient", name: str) -> bool:
    """Whether chalice has deployed it."""
    with translated(f"look for the Lambda {name}"):
        try:
            client.get_function_configuration(FunctionName=name)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return False
            raise
    return True


def image(client: "SSMClient", parameter: str) -> str | None:
    """The id of the image that workers start from; None while there is none."""
    with translated(f"read the parameter {parameter}"):
        try:
            value = client.get_parameter(Name=parameter)["Parameter"].get("Value", "")
        except ClientError as error:
            if error_code(error) == "ParameterNotFound":
                return None
            raise
    return value if value.startswith("ami-") else None


def machines(client: "AutoScalingClient", group: str) -> int:
    """How many machines the group has, those included that come or go; 0 if there is no group."""
    with translated(f"look at the group {group}"):
        return sum(len(found["Instances"]) for found in _groups(client, group))


def end_group(client: "AutoScalingClient", group: str, clock: Clock) -> None:
    """Terminate the group's machines, busy or not, and delete it; return when it is gone. Fine if there is none.

    CloudFormation can't: it asks the group to shrink, and machines that are protected from that stay.
    """
    with translated(f"delete the group {group}"):
        if not _groups(client, group):
            return
        client.delete_auto_scaling_group(AutoScalingGroupName=group, ForceDelete=True)
        while _groups(client, group):
            clock.sleep(_POLL_S)


def _groups(client: "AutoScalingClient", group: str) -> "list[AutoScalingGroupTypeDef]":
    return client.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
