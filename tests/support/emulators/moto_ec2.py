"""EC2 as moto does not play it: instances that do something, images by parameter, consoles, IAM elsewhere."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import boto3
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, iam_instance_profile
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses import instances
from moto.ec2.responses.general import General

from tests.support.emulators.image_parameters import SsmInvalidParameterError, resolved
from tests.support.machines.machines import Machines, profile_of
from tests.support.worlds.image_world import create_image


def play(owner: Any, name: str, answer: Callable[..., Any]) -> None:
    """Let a method be answered by a function that is given what there was before; inherited by nobody else."""
    before = getattr(owner, name, None)

    def method(this: Any, *arguments: Any, **options: Any) -> Any:
        return answer(before, this, *arguments, **options)

    setattr(owner, name, method)


@dataclass(frozen=True, slots=True)
class PlayedEc2:
    machines: Machines

    def install(self) -> None:
        play(EC2Backend, "run_instances", self.run_instances)
        play(EC2Backend, "terminate_instances", self.terminate_instances)
        play(EC2Backend, "register_image", register_image)
        play(LaunchTemplate, "create_version", create_version)
        play(General, "get_console_output", self.get_console_output)
        for owner, name, instead in (
            (EC2Backend, "create_image", create_image),
            (LaunchTemplateVersion, "image_id", property(image_of)),
            (instances, "filter_iam_instance_profiles", find_profile),
            (iam_instance_profile, "filter_iam_instance_profiles", find_profile),
        ):
            setattr(owner, name, instead)

    def run_instances(
        self, before: Callable[..., Any], backend: Any, image_id: str, *arguments: Any, **options: Any
    ) -> Any:
        profile = options.get("iam_instance_profile_name") or options.get("iam_instance_profile_arn") or ""
        if template := options.get("launch_template"):
            version = backend._get_template_from_args(template)
            image_id = image_id or version.image_id
            profile = profile or version.data["IamInstanceProfile"]["Arn"]
        backend.describe_images(ami_ids=[image_id])  # raises if there is none
        reservation = before(backend, image_id, *arguments, **options)
        for instance in reservation.instances:
            self.machines.begin(instance, profile)
        return reservation

    def terminate_instances(self, before: Callable[..., Any], backend: Any, instance_ids: list[str]) -> Any:
        for name in instance_ids:
            self.machines.power_off(name)
        return before(backend, instance_ids)

    def get_console_output(self, _: object, response: Any) -> Any:
        instance = response._get_param("InstanceId")
        said = self.machines.console(instance)
        output = {"Output": base64.b64encode(said.encode()).decode()} if said else {}  # AWS tells nothing at first
        return ActionResult({"InstanceId": instance, **output})


def register_image(before: Callable[..., Any], backend: Any, *arguments: Any, **options: Any) -> Any:
    image = before(backend, *arguments, **options)
    image.architecture = "x86_64"  # moto does not take it down
    return image


def image_of(version: Any) -> str:
    """The image of a launch template, read from the parameter that it names; refused if that is not of an image."""

    def parameter(name: str) -> Any:
        client = boto3.client("ssm")
        try:
            return client.get_parameter(Name=name)["Parameter"]
        except client.exceptions.ParameterNotFound:
            return None

    def is_image(image: str) -> bool:
        return any(each.id == image for each in version.template.ec2_backend.describe_images())

    try:
        return resolved(version.data.get("ImageId", ""), parameter, is_image)
    except SsmInvalidParameterError as error:
        raise EC2ClientError("SsmInvalidParameter", str(error)) from error


def create_version(before: Callable[..., Any], template: Any, data: dict[str, Any], description: str) -> Any:
    """EC2 checks the parameter of an image already when a template, or a version of it, is made."""
    image_of(SimpleNamespace(template=template, data=data))
    return before(template, data, description)


def find_profile(
    *_: object, iam_instance_profile_arn: str = "", iam_instance_profile_name: str = "", **__: object
) -> Any:
    return profile_of(iam_instance_profile_arn or iam_instance_profile_name)
