"""Turns an instance of Debian's own image into an image of workers; whatever happens, nothing is left running."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.aws.machines.amis import Images
from cloudkon.aws.machines.instances import described, is_there
from cloudkon.aws.tags import image_tags
from cloudkon.clock import Clock, poll
from cloudkon.errors import CloudKonError
from cloudkon.stage.ami import Console
from cloudkon.stage.machine import ENDED
from cloudkon.stage.names import BUILD_TAG, Names

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.literals import ResourceTypeType
    from mypy_boto3_ec2.type_defs import TagSpecificationTypeDef, TagTypeDef

_POLL_S = 5.0
_PROVISIONED_WITHIN_S = 1800.0
_LAST_WORDS_S = 300.0
"""What an instance that has stopped may have said reaches us this much later at most."""
_CAPTURED_WITHIN_S = 3600.0
_SHOWN_LINES = 30
_READY = "ready"

Say = Callable[[str], None]
Shield = Callable[[], AbstractContextManager[None]]


class ProvisioningError(CloudKonError):
    """An instance did not become a worker's machine."""

    def __init__(self, what: str, console: Console) -> None:
        super().__init__(what)
        self.last_lines = console.last_lines(_SHOWN_LINES)


@dataclass(frozen=True, slots=True)
class Build:
    """One image to be."""

    token: str
    """Tells this build's instance from those of any other."""
    digest: str
    architecture: str
    base: str
    instance_type: str
    user_data: str
    security_group: str
    subnet: str | None
    """None: a default subnet of the region."""


@dataclass(frozen=True, slots=True)
class ImageBuilder:
    """Builds the images of one stage."""

    ec2: "EC2Client"
    images: Images
    names: Names
    clock: Clock
    say: Say
    shield: Shield = nullcontext
    """Keeps an impatient Ctrl-C from the clean-up."""

    def build(self, build: Build) -> str:
        """Return the new image's id; raise CloudKonError with what the instance said last, if it did not make it."""
        with self._instance(build) as instance:
            self._await_ready(instance)
            return self._capture(instance, build)

    @contextmanager
    def _instance(self, build: Build) -> Iterator[str]:
        started: list[str] = []
        try:
            started.append(self._run(build))
            yield started[0]
        finally:
            with self.shield():
                self._terminate(build, started)

    def _run(self, build: Build) -> str:
        told: list[TagTypeDef] = [*image_tags(self.names, build.digest, build.base)]
        told.append({"Key": BUILD_TAG, "Value": build.token})
        place: Any = {"SubnetId": build.subnet} if build.subnet else {}
        with translated("start an instance to make the image from"):
            started = self.ec2.run_instances(
                ImageId=build.base,
                InstanceType=build.instance_type,  # type: ignore[arg-type] # AWS has more types than the stubs know
                MinCount=1,
                MaxCount=1,
                ClientToken=build.token,
                IamInstanceProfile={"Name": self.names.image_builder_role},
                SecurityGroupIds=[build.security_group],
                UserData=build.user_data,
                InstanceInitiatedShutdownBehavior="stop",
                MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
                TagSpecifications=_tagged(told, "instance", "volume"),
                **place,
            )["Instances"][0]["InstanceId"]
        self.say(f"{started} ({build.instance_type}) becomes a worker's machine")
        return started

    def _await_ready(self, instance: str) -> None:
        """Wait until the instance has said that it is ready, and has stopped; tell each of its steps."""
        deadline_s = self.clock.monotonic_s() + _PROVISIONED_WITHIN_S
        told: set[str] = set()
        while True:
            state, console = self._state(instance), self._console(instance)
            for said in console.said:
                if said not in told:
                    told.add(said)
                    self.say(said)
            if console.failure is not None:
                raise ProvisioningError(f"{instance} failed at: {console.failure}.", console)
            if state == "stopped" and _READY in told:  # whether a stopped instance still says so is not promised
                return
            if state == "stopped":
                deadline_s = min(deadline_s, self.clock.monotonic_s() + _LAST_WORDS_S)
            if state in ENDED:
                raise ProvisioningError(f"{instance} was terminated by somebody else.", console)
            if self.clock.monotonic_s() > deadline_s:
                raise ProvisioningError(f"{instance} is {state}, and has not said that it is ready.", console)
            self.clock.sleep(_POLL_S)

    def _capture(self, instance: str, build: Build) -> str:
        """Make the image and wait until it can be used; if it can't be, or we are interrupted, it goes again."""
        told = image_tags(self.names, build.digest, build.base)
        with translated(f"make an image of {instance}"):
            image = self.ec2.create_image(
                InstanceId=instance,
                Name=f"cloudkon-{self.names.stage}-{build.architecture}-{build.digest}-{build.token}",
                Description=f"CloudKon worker, stage {self.names.stage}, made from {build.base}",
                TagSpecifications=_tagged(told, "image", "snapshot"),
            )["ImageId"]
        self.say(f"{image} is being made")
        try:
            self._await_available(image)
        except BaseException:
            with self.shield():
                found = self.images.find(image)
                if found is not None:
                    self.images.remove(found)
            raise
        return image

    def _await_available(self, image: str) -> None:
        state = "pending"
        for _ in poll(self.clock, _POLL_S, _CAPTURED_WITHIN_S):
            found = self.images.find(image)
            state = "pending" if found is None else found.state  # AWS may not have heard of it everywhere
            if state != "pending":
                break
        if state != "available":
            raise CloudKonError(f"{image} ended as {state}: no image was made. Try again.")

    def _terminate(self, build: Build, started: Sequence[str]) -> None:
        """By its tag, for the answer that had its id may have been what was interrupted; and by its id, if it is known.

        AWS may not have heard of it everywhere.
        """
        found = described(self.ec2, {"Name": f"tag:{BUILD_TAG}", "Values": [build.token]})
        ended = [each["InstanceId"] for each in found if not is_there(each)]
        left = {*started, *(each["InstanceId"] for each in found)} - set(ended)
        if left:
            with translated(f"terminate {', '.join(left)}, which goes on costing money"):
                self.ec2.terminate_instances(InstanceIds=sorted(left))
            self.say(f"{', '.join(left)} is terminated")

    def _state(self, instance: str) -> str:
        found = described(self.ec2, {"Name": "instance-id", "Values": [instance]})
        return found[0]["State"]["Name"] if found else "pending"  # AWS may not have heard of it everywhere

    def _console(self, instance: str) -> Console:
        with translated(f"read the console of {instance}"):
            try:
                answer = self.ec2.get_console_output(InstanceId=instance, Latest=True)
            except ClientError as error:
                if error_code(error) == "InvalidInstanceID.NotFound":
                    return Console("")  # as above
                if error_code(error) != "UnsupportedOperation":
                    raise
                answer = self.ec2.get_console_output(InstanceId=instance)  # older types tell what they said a while ago
        return Console(answer.get("Output", ""))


def _tagged(told: "Sequence[TagTypeDef]", *kinds: "ResourceTypeType") -> "list[TagSpecificationTypeDef]":
    return [{"ResourceType": kind, "Tags": told} for kind in kinds]
