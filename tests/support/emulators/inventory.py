"""What an account holds, on both emulators: whatever costs money, or stands in the way of the next stage."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.support.worlds.joined_cloud import JoinedCloud

_GONE = "terminated"


def inventory(cloud: JoinedCloud) -> dict[str, list[str]]:
    """The names of all there is, by what it is."""
    return {kind: sorted(look(cloud)) for kind, look in _LOOKS.items()}


def _named(service: str, operation: str, key: str, name: str, **asked: Any) -> Callable[[JoinedCloud], Iterable[str]]:
    def look(cloud: JoinedCloud) -> Iterable[str]:
        client = cloud.client(service)
        answer = getattr(client, operation)(**asked).get(key, [])
        return [each if isinstance(each, str) else each[name] for each in answer]

    return look


def _instances(cloud: JoinedCloud) -> Iterable[str]:
    found = cloud.client("ec2").describe_instances()["Reservations"]
    each = (instance for reservation in found for instance in reservation["Instances"])
    return [instance["InstanceId"] for instance in each if instance["State"]["Name"] != _GONE]


def _stacks(cloud: JoinedCloud) -> Iterable[str]:
    found = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    return [stack["StackName"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"]


_LOOKS: dict[str, Callable[[JoinedCloud], Iterable[str]]] = {
    "stacks": _stacks,
    "buckets": _named("s3", "list_buckets", "Buckets", "Name"),
    "queues": _named("sqs", "list_queues", "QueueUrls", ""),
    "tables": _named("dynamodb", "list_tables", "TableNames", ""),
    "functions": _named("lambda", "list_functions", "Functions", "FunctionName"),
    "event sources": _named("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "roles": _named("iam", "list_roles", "Roles", "RoleName"),
    "users": _named("iam", "list_users", "Users", "UserName"),
    "policies": _named("iam", "list_policies", "Policies", "PolicyName", Scope="Local"),
    "instance profiles": _named("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    "log groups": _named("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "parameters": _named("ssm", "describe_parameters", "Parameters", "Name"),
    "rules": _named("events", "list_rules", "Rules", "Name"),
    "topics": _named("sns", "list_topics", "Topics", "TopicArn"),
    "instances": _instances,
    "volumes": _named("ec2", "describe_volumes", "Volumes", "VolumeId"),
    "images": _named("ec2", "describe_images", "Images", "ImageId", Owners=["self"]),
    "snapshots": _named("ec2", "describe_snapshots", "Snapshots", "SnapshotId", OwnerIds=["self"]),
    "security groups": _named("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "key pairs": _named("ec2", "describe_key_pairs", "KeyPairs", "KeyName"),
    "launch templates": _named("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    "groups": _named("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    "scaling policies": _named("autoscaling", "describe_policies", "ScalingPolicies", "PolicyName"),
    "alarms": _named("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "dashboards": _named("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
}
