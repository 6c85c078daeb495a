import pytest

from cloudkon.aws.machines.instance_group import WorkerGroup
from tests.support.emulators.moto_aws import AwsLab


@pytest.fixture
def group(aws: AwsLab) -> WorkerGroup:
    """A group of one instance."""
    client, name = aws.autoscaling, "cloudkon-dev-workers"
    if not client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]:
        image = aws.ec2.register_image(Name="group")["ImageId"]
        client.create_launch_configuration(LaunchConfigurationName="any", ImageId=image, InstanceType="c5.large")
        client.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchConfigurationName="any",
            MinSize=0,
            MaxSize=1,
            DesiredCapacity=1,
            AvailabilityZones=["eu-central-1a"],
        )
    return WorkerGroup(client, name)


def instance(aws: AwsLab, group: WorkerGroup) -> tuple[str, bool]:
    [found] = aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group.name])["AutoScalingGroups"]
    [only] = found["Instances"]
    return only["InstanceId"], only["ProtectedFromScaleIn"]


def test_an_instance_is_protected_until_it_is_released(aws: AwsLab, group: WorkerGroup) -> None:
    """An instance is protected, and no longer."""
    name, _ = instance(aws, group)
    group.protect(name, on=True)
    assert instance(aws, group) == (name, True)
    group.protect(name, on=False)
    assert instance(aws, group) == (name, False)
