"""The stack with its fleet, on the embedded cloud: which starts no machines, and takes no alarms that compute."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cloudkon.stage.names import Names
from tests.support.worlds.embedded_aws import EmbeddedAws

STAGE = "fleet"


@pytest.fixture
def names(embedded_cloud: EmbeddedAws) -> Iterator[Names]:
    """Of a stage of the test's own, which is gone when the test ends."""
    aws = embedded_cloud
    yield Names(STAGE, aws.names.account, aws.names.region)
    assert stack(aws, "down", "--force").returncode == 0


def stack(aws: EmbeddedAws, *arguments: str) -> Any:
    return aws.run("stack", *arguments, "--stage", STAGE)


def resources(aws: EmbeddedAws) -> set[str]:
    return {one["name"] for one in json.loads(stack(aws, "status", "--json").stdout)["resources"]}


def fleet(aws: EmbeddedAws) -> list[str]:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    given = {"VpcId": vpc, "SubnetIds": ",".join(one["SubnetId"] for one in subnets), "Alarms": "no"}
    return [part for name, value in given.items() for part in ("--parameter", f"{name}={value}")]


def test_the_group_waits_for_an_image(embedded_cloud: EmbeddedAws, names: Names) -> None:
    """EC2 refuses a template without an image, so it comes, and the group, with the first up that finds one."""
    aws = embedded_cloud
    answer = stack(aws, "up", *fleet(aws), "--parameter", "Autoscaling=no")
    assert answer.returncode == 0, answer.stderr
    assert "There is no image of the workers yet" in answer.stderr
    assert resources(aws) & {"LaunchTemplate", "Group", "DrainHook"} == set()

    aws.client("ssm").put_parameter(
        Name=names.image_parameter, Value="ami-12345678", Type="String", DataType="aws:ec2:image"
    )
    answer = stack(aws, "up")
    assert answer.returncode == 0, answer.stderr
    assert resources(aws) & {"LaunchTemplate", "Group", "DrainHook"} == {"LaunchTemplate", "Group", "DrainHook"}
    (group,) = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (group["AutoScalingGroupName"], group["MinSize"], group["MaxSize"]) == (names.worker_group, 0, 4)
    assert not group["NewInstancesProtectedFromScaleIn"]
    assert "The image ami-12345678 and its snapshot are not the stack's, and stay" in stack(aws, "down").stderr
    assert not aws.client("ssm").describe_parameters()["Parameters"]


def test_diff_tells_and_changes_nothing(embedded_cloud: EmbeddedAws, names: Names) -> None:
    """What up would change is told, and is not changed; a second up changes nothing."""
    aws = embedded_cloud
    stack(aws, "up", "--parameter", "Fleet=no", "--parameter", "Alarms=no")
    assert json.loads(stack(aws, "diff", "--json").stdout) == {"changes": []}
    assert "~ WorkerLog (AWS::Logs::LogGroup" in stack(aws, "diff", "--parameter", "LogDays=7").stdout
    group = aws.client("logs").describe_log_groups(logGroupNamePrefix=names.worker_log_group)["logGroups"][0]
    assert group["retentionInDays"] == 30
    assert "UPDATE" not in stack(aws, "up").stderr


def test_the_lambda_comes_down_first(embedded_cloud: EmbeddedAws) -> None:
    """The stack of a stage whose Lambda stands is not taken down, whatever may be forced."""
    answer = embedded_cloud.run("stack", "down", "--force", "--delete-data")
    assert answer.returncode == 1
    assert "cloudkon-cli undeploy --stage dev" in answer.stderr
    assert json.loads(embedded_cloud.run("stack", "status", "--json").stdout)["stands"]
