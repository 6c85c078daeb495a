"""ministack, whose CloudFormation makes the fleet's resources in another server.

Started by python -m tests.support.worlds.handing_on.

It is itself in everything else. What it hands on it asks for by the service's own API, with the template's properties,
as CloudFormation does; a property that the API does not have fails the stack.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError
from ministack.app import main
from ministack.core.responses import error_response_json, json_response
from ministack.services import ssm
from ministack.services.cloudformation import provisioners, stacks

from tests.support.emulators import strict_ministack
from tests.support.emulators.image_parameters import IMAGE_TYPE, ImageParameters

FLEET_ENDPOINT = "FLEET_ENDPOINT"
"""The variable that says where."""
DEBIAN = "/aws/service/debian/release/12/latest/amd64"
BASE_NAME = "debian-12"
Made = tuple[str, dict[str, Any]]
"""The physical id, and what Fn::GetAtt answers."""


def client(service: str) -> Any:
    make: Callable[..., Any] = boto3.client  # the stubs know it by literal names only
    return make(
        service,
        endpoint_url=os.environ[FLEET_ENDPOINT],
        region_name=os.environ["AWS_DEFAULT_REGION"],
        aws_access_key_id="cloudformation",
        aws_secret_access_key="cloudformation",
    )


def asked(service: Any, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Properties of a template as the API takes them: a template's numbers and truths may be strings."""
    shaped: dict[str, Any] = _shaped(service.meta.service_model.operation_model(operation).input_shape, properties)
    return shaped


def _shaped(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            if unknown := value.keys() - shape.members.keys():
                raise ValueError(f"{shape.name} has no {', '.join(sorted(unknown))}")
            return {name: _shaped(shape.members[name], each) for name, each in value.items()}
        case "list":
            return [_shaped(shape.member, each) for each in value]
        case "integer" | "long":
            return int(value)
        case "double" | "float":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else value == "true"
        case _:
            return value


@dataclass(frozen=True, slots=True)
class Type:
    """How a type of resources is made and deleted; one that is to change fails the stack."""

    create: Callable[[str, dict[str, Any]], Made]
    delete: Callable[[str, dict[str, Any]], object]

    def handlers(self) -> dict[str, Any]:
        def refuse(physical_id: str, *_: object) -> Made:
            raise ValueError(f"{physical_id} can't be changed here")

        return {
            "create": lambda logical_id, properties, _: self.create(logical_id, dict(properties)),
            "update": refuse,
            "delete": self.delete_if_there,
        }

    def delete_if_there(self, physical_id: str, properties: dict[str, Any]) -> None:
        try:
            self.delete(physical_id, properties)
        except ClientError as error:
            if "NotFound" not in str(error) and "not found" not in str(error):
                raise


def make_security_group(logical_id: str, properties: dict[str, Any]) -> Made:
    ec2, tags = client("ec2"), properties.pop("Tags", [])
    told = {"GroupName": f"{logical_id}-{os.getpid()}", "Description": properties.pop("GroupDescription")}
    group = ec2.create_security_group(**asked(ec2, "CreateSecurityGroup", told | properties))["GroupId"]
    if tags:
        ec2.create_tags(Resources=[group], Tags=tags)
    return group, {"GroupId": group, "VpcId": properties.get("VpcId", "")}


def make_launch_template(_: str, properties: dict[str, Any]) -> Made:
    ec2 = client("ec2")
    made = ec2.create_launch_template(**asked(ec2, "CreateLaunchTemplate", properties))["LaunchTemplate"]
    versions = {"LatestVersionNumber": str(made["LatestVersionNumber"]), "DefaultVersionNumber": "1"}
    return made["LaunchTemplateId"], {"LaunchTemplateId": made["LaunchTemplateId"], **versions}


def make_group(_: str, properties: dict[str, Any]) -> Made:
    autoscaling, name = client("autoscaling"), properties["AutoScalingGroupName"]
    metrics = properties.pop("MetricsCollection", [])
    if "VPCZoneIdentifier" in properties:
        properties["VPCZoneIdentifier"] = ",".join(properties["VPCZoneIdentifier"])
    properties["Tags"] = [{"PropagateAtLaunch": True, **tag} for tag in properties.get("Tags", [])]
    autoscaling.create_auto_scaling_group(**asked(autoscaling, "CreateAutoScalingGroup", properties))
    for each in metrics:
        autoscaling.enable_metrics_collection(
            **asked(autoscaling, "EnableMetricsCollection", {"AutoScalingGroupName": name, **each})
        )
    return name, {}


def delete_group(name: str, _: dict[str, Any]) -> None:
    autoscaling = client("autoscaling")
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, MaxSize=0, DesiredCapacity=0)
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name)


def make_hook(_: str, properties: dict[str, Any]) -> Made:
    autoscaling = client("autoscaling")
    autoscaling.put_lifecycle_hook(**asked(autoscaling, "PutLifecycleHook", properties))
    return properties["LifecycleHookName"], {}


def make_policy(logical_id: str, properties: dict[str, Any]) -> Made:
    autoscaling = client("autoscaling")
    told = asked(autoscaling, "PutScalingPolicy", {"PolicyName": logical_id, **properties})
    autoscaling.put_scaling_policy(**told)  # moto's answer has no ARN
    names = {"AutoScalingGroupName": told["AutoScalingGroupName"], "PolicyNames": [told["PolicyName"]]}
    arn = autoscaling.describe_policies(**names)["ScalingPolicies"][0]["PolicyARN"]
    return arn, {"Arn": arn}


def make_alarm(_: str, properties: dict[str, Any]) -> Made:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**asked(cloudwatch, "PutMetricAlarm", properties))
    return properties["AlarmName"], {}


def make_dashboard(_: str, properties: dict[str, Any]) -> Made:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_dashboard(**asked(cloudwatch, "PutDashboard", properties))
    return properties["DashboardName"], {}


TYPES = {
    "AWS::EC2::SecurityGroup": Type(
        make_security_group, lambda name, _: client("ec2").delete_security_group(GroupId=name)
    ),
    "AWS::EC2::LaunchTemplate": Type(
        make_launch_template, lambda name, _: client("ec2").delete_launch_template(LaunchTemplateId=name)
    ),
    "AWS::AutoScaling::AutoScalingGroup": Type(make_group, delete_group),
    "AWS::AutoScaling::LifecycleHook": Type(
        make_hook,
        lambda name, properties: client("autoscaling").delete_lifecycle_hook(
            LifecycleHookName=name, AutoScalingGroupName=properties["AutoScalingGroupName"]
        ),
    ),
    "AWS::AutoScaling::ScalingPolicy": Type(
        make_policy,
        lambda name, properties: client("autoscaling").delete_policy(
            PolicyName=name.rpartition("/")[2], AutoScalingGroupName=properties["AutoScalingGroupName"]
        ),
    ),
    "AWS::CloudWatch::Alarm": Type(make_alarm, lambda name, _: client("cloudwatch").delete_alarms(AlarmNames=[name])),
    "AWS::CloudWatch::Dashboard": Type(
        make_dashboard, lambda name, _: client("cloudwatch").delete_dashboards(DashboardNames=[name])
    ),
}


def hand_on() -> None:
    """Let CloudFormation make these types elsewhere, off the event loop: the other server asks this one back."""
    blocks = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind in TYPES or blocks(kind)
    provisioners._RESOURCE_HANDLERS |= {kind: each.handlers() for kind, each in TYPES.items()}


def validate_images() -> None:
    """Let a parameter of an image be checked against the other server, and not be seen before."""
    put, get = ssm._put_parameter, ssm._get_parameter
    images = ImageParameters(is_image)

    def put_parameter(data: dict[str, Any]) -> Any:
        name, data_type = data["Name"], data.get("DataType", "text")
        standing = ssm._parameters.get(name)
        if standing is not None and standing["DataType"] != data_type:
            return error_response_json("ValidationException", "The data type of a parameter can't be changed.", 400)
        if data_type != IMAGE_TYPE:
            return put(data)
        images.put(name, data["Value"], lambda: put(data))
        return json_response({"Version": 1, "Tier": "Standard"})

    def get_parameter(data: dict[str, Any]) -> Any:
        images.look(data["Name"])
        return get(data)

    ssm._put_parameter, ssm._get_parameter = put_parameter, get_parameter


def is_image(image: str) -> bool:
    found = client("ec2").describe_images(Filters=[{"Name": "image-id", "Values": [image]}])["Images"]
    return bool(found)


def publish_debian() -> None:
    """Let Debian have an image in the other server, and the public parameter that says which."""
    found = client("ec2").register_image(Name=BASE_NAME, Architecture="x86_64", RootDeviceName="/dev/xvda")
    ssm._PUBLIC_AMI_PARAMETERS[DEBIAN] = found["ImageId"]


if __name__ == "__main__":
    strict_ministack.refuse_second_mappings()
    strict_ministack.ask_for_partiql_actions()
    strict_ministack.ask_for_keys()
    strict_ministack.doubt_fresh_permissions()
    hand_on()
    validate_images()
    publish_debian()
    sys.exit(main())
