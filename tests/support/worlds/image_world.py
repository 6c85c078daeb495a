"""An account in moto whose one instance does what a script says, second by second, while the builder waits for it."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws
from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.responses.general import General
from moto.ssm.exceptions import ValidationException
from moto.ssm.models import Parameter, SimpleSystemManagerBackend, ssm_backends

from cloudkon.aws.session import Session
from cloudkon.stage.names import Names
from tests.support.emulators.image_parameters import IMAGE_TYPE, ImageParameters
from tests.support.emulators.moto_aws import credentials, enter
from tests.support.still_clock import StillClock

STAGE, ACCOUNT, REGION = "dev", "123456789012", "eu-central-1"
NAMES = Names(STAGE, ACCOUNT, REGION)
# What the real stack tells, and the image's builder asks for.
_STACK = """
Resources:
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: nobody comes in}}
Outputs:
  SecurityGroup: {Value: !GetAtt Group.GroupId}
"""


_create_untagged = EC2Backend.create_image


class ImageWorld(StillClock):
    """Its time passes when somebody sleeps; what the script has for that time happens then."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.ec2, self.ssm, self.s3 = session.ec2(), session.ssm(), session.s3()
        self.console = ""
        self.asked: list[dict[str, Any]] = []
        """What each instance was started with."""
        self._script: list[tuple[float, Callable[[], None]]] = []
        self._began_s = self.monotonic_s()

    def script(self, happenings: Mapping[float, Callable[[], None]]) -> None:
        """Let these happen, so many seconds from now."""
        self.console = ""
        self._began_s = self.monotonic_s()
        self._script = sorted(happenings.items(), key=lambda happening: happening[0])

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        while self._script and self._script[0][0] <= self.monotonic_s() - self._began_s:
            self._script.pop(0)[1]()

    def say(self, *lines: str) -> Callable[[], None]:
        def happen() -> None:
            self.console += "".join(f"[   12.3] cloud-init[512]: {line}\r\n" for line in lines)

        return happen

    def stop(self) -> None:
        self.ec2.stop_instances(InstanceIds=self.instances("running"))

    def terminate(self) -> None:
        self.ec2.terminate_instances(InstanceIds=self.instances("running"))

    def instances(self, *states: str) -> list[str]:
        found = self.ec2.describe_instances()["Reservations"]
        each = (instance for group in found for instance in group["Instances"])
        return [instance["InstanceId"] for instance in each if instance["State"]["Name"] in states]

    def left(self) -> list[str]:
        """The instances that cost money."""
        return self.instances("pending", "running", "stopping", "stopped")

    def images(self) -> list[str]:
        """Those that were made of instances."""
        found = self.ec2.describe_images(Owners=["self"])["Images"]
        return [image["ImageId"] for image in found if image.get("Tags")]

    def snapshots(self) -> set[str]:
        """Of the images that were made here."""
        found = self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        return {snapshot["SnapshotId"] for snapshot in found if snapshot.get("Tags")}

    def current(self) -> str | None:
        """The image that the parameter names; None if there is no parameter."""
        versions = ssm_backends[ACCOUNT][REGION]._parameters.get(NAMES.image_parameter)
        return versions[-1].value if versions else None

    def publish_debian(self, architecture: str = "amd64") -> str:
        """Let Debian have an image, and the parameter that says which; return its id."""
        base = self.ec2.register_image(Name="debian-12")["ImageId"]
        ec2_backends[ACCOUNT][REGION].amis[base].architecture = "x86_64"  # moto does not take it down
        name = f"/aws/service/debian/release/12/latest/{architecture}"
        make: Callable[..., Parameter] = Parameter  # abstract by mistake: moto makes them all the same
        made = make(ACCOUNT, name, base, "String", None, None, None, datetime.now(UTC), 1, "text")
        ssm_backends[ACCOUNT][REGION]._parameters[name].append(made)
        return base

    def date(self, image: str, created: str) -> None:
        """Let an image have been made at this time, in ISO 8601."""
        ec2_backends[ACCOUNT][REGION].amis[image].creation_date = datetime.fromisoformat(created)


@contextmanager
def image_world(patch: pytest.MonkeyPatch) -> Iterator[ImageWorld]:
    """The stage's stack stands, its results bucket and its builder's role are there, and Debian has an image."""
    enter(patch, credentials() | {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"})  # thousands, at every start
    with mock_aws():
        session = Session()
        world = ImageWorld(session)
        world.s3.create_bucket(
            Bucket=NAMES.results_bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        session.cloudformation().create_stack(StackName=NAMES.stack, TemplateBody=_STACK)
        session.iam().create_instance_profile(InstanceProfileName=NAMES.image_builder_role)
        validate_images(patch)
        world.publish_debian()
        patch.setattr(General, "get_console_output", lambda response: _console(world, response))
        patch.setattr(EC2Backend, "create_image", create_image)
        yield world
    ec2_backends.pop(ACCOUNT, None)  # moto's server, of other tests, is to make one that has the images


def validate_images(patch: pytest.MonkeyPatch) -> None:
    """Let parameters of images be checked, and not be seen before they are: moto has left that for later."""
    put, get = SimpleSystemManagerBackend.put_parameter, SimpleSystemManagerBackend.get_parameter
    images = ImageParameters(lambda image: image in ec2_backends[ACCOUNT][REGION].amis)

    def put_parameter(backend: Any, *asked: Any, **named: Any) -> Any:
        name, value, data_type = asked[0], asked[2], asked[8]
        standing = backend._parameters.get(name)
        if standing and standing[-1].data_type != data_type:
            raise ValidationException("The data type of a parameter can't be changed.")
        if data_type != IMAGE_TYPE:
            return put(backend, *asked, **named)
        images.put(name, value, lambda: put(backend, *asked, **named))
        return SimpleNamespace(version=1, tier="Standard")

    def get_parameter(backend: Any, name: str) -> Any:
        images.look(name)
        return get(backend, name)

    patch.setattr(SimpleSystemManagerBackend, "put_parameter", put_parameter)
    patch.setattr(SimpleSystemManagerBackend, "get_parameter", get_parameter)


def _console(world: ImageWorld, response: Any) -> Any:
    told = {"InstanceId": response._get_param("InstanceId")}
    if world.console:  # AWS tells nothing at first
        told["Output"] = base64.b64encode(world.console.encode()).decode()
    return ActionResult(told)


def create_image(
    backend: Any, instance_id: str, name: str, description: str, tag_specifications: list[dict[str, Any]]
) -> Any:
    """Let an image's snapshot be tagged, which moto has left for later."""
    known = [asked for asked in tag_specifications if asked["ResourceType"] == "image"]
    image = _create_untagged(backend, instance_id, name, description, known)
    for asked in tag_specifications:
        if asked["ResourceType"] == "snapshot":
            backend.create_tags([image.ebs_snapshot.id], {tag["Key"]: tag["Value"] for tag in asked["Tags"]})
    return image
