"""The images of a stage's workers: those there are, which one new workers start from, and the end of the old ones."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cloudkon.aws.errors import translated
from cloudkon.aws.machines.instances import described, is_there
from cloudkon.aws.tags import of_stage, tags_of
from cloudkon.clock import Clock, poll
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.stage.ami import WorkerAmi
from cloudkon.stage.names import ARTIFACTS_TAG, BASE_TAG, Names

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import ImageTypeDef
    from mypy_boto3_ssm import SSMClient

# https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm
_DEBIAN = "/aws/service/debian/release/12/latest"
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
"""What Debian and AWS call them."""
_IMAGE_TYPE = "aws:ec2:image"
"""The only type of a parameter that a launch template takes an image from."""
_POLL_S = 1.0
_CHECKED_WITHIN_S = 60.0


class Images:
    """Of one stage, in one region; told apart from everything else by their tags."""

    def __init__(self, ec2: "EC2Client", ssm: "SSMClient", names: Names) -> None:
        self._ec2 = ec2
        self._ssm = ssm
        self._names = names

    def all(self) -> Sequence[WorkerAmi]:
        """Every image of the stage, the newest first."""
        with translated("list the images"):
            pages = self._ec2.get_paginator("describe_images").paginate(
                Owners=["self"], Filters=[of_stage(self._names)]
            )
            found = [_image(image) for page in pages for image in page["Images"]]
        return sorted(found, key=lambda image: (image.created, image.id), reverse=True)

    def made_from(self, digest: str, architecture: str) -> WorkerAmi | None:
        """The newest image of these artifacts that can be used."""
        usable = (image for image in self.all() if image.state == "available")
        return next((image for image in usable if (image.digest, image.architecture) == (digest, architecture)), None)

    def base(self, architecture: str) -> str:
        """Debian's own latest image; raise NotFoundError where Debian publishes none."""
        found = self._parameter(f"{_DEBIAN}/{architecture}")
        if found is None:
            raise NotFoundError(f"Debian publishes no image of Debian 12 for {architecture} in {self._names.region}.")
        return found

    def current(self) -> str | None:
        """The image that the launch template starts workers from; None before the first was made."""
        found = self._parameter(self._names.image_parameter)
        return found if found and found.startswith("ami-") else None

    def make_current(self, image: str, clock: Clock) -> None:
        """Let new workers start from this image; return once AWS has checked that it is one.

        Raises CloudKonError if it never has: a put is answered before the check has ended, and not undone by it.
        https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
        """
        name = self._names.image_parameter
        with translated(f"write the parameter {name}"):
            self._ssm.put_parameter(
                Name=name,
                Description="The machine image of the workers.",
                Value=image,
                Type="String",
                DataType=_IMAGE_TYPE,
                Overwrite=True,
            )
        for _ in poll(clock, _POLL_S, _CHECKED_WITHIN_S):
            if self._parameter(name) == image:
                return
        raise CloudKonError(
            f"The parameter {name} does not name {image}, which AWS was to check, after {_CHECKED_WITHIN_S:.0f} s. "
            "New workers start from the image that they did before. Is the image there, and yours to start from?"
        )

    def forget_current(self) -> None:
        """Let there be no image that new workers start from; fine if there is none. The images stay."""
        name = self._names.image_parameter
        with suppress(NotFoundError), translated(f"delete the parameter {name}"):
            self._ssm.delete_parameter(Name=name)

    def users(self, images: Sequence[WorkerAmi]) -> Mapping[str, Sequence[str]]:
        """The instances that were started from each image and are still there."""
        used: dict[str, list[str]] = defaultdict(list)
        if not images:
            return used
        for instance in described(self._ec2, {"Name": "image-id", "Values": [image.id for image in images]}):
            if is_there(instance):
                used[instance["ImageId"]].append(instance["InstanceId"])
        return used

    def remove(self, image: WorkerAmi) -> None:
        """Deregister an image and delete its snapshots; fine if they are gone already."""
        with suppress(NotFoundError), translated(f"deregister {image.id}"):
            self._ec2.deregister_image(ImageId=image.id)
        for snapshot in image.snapshots:
            with suppress(NotFoundError), translated(f"delete {snapshot}, of {image.id}"):
                self._ec2.delete_snapshot(SnapshotId=snapshot)

    def find(self, image: str) -> WorkerAmi | None:
        """One image, once AWS has heard of it everywhere."""
        with translated(f"look for {image}"):
            found = self._ec2.describe_images(Owners=["self"], Filters=[{"Name": "image-id", "Values": [image]}])
        return next(map(_image, found["Images"]), None)

    def _parameter(self, name: str) -> str | None:
        try:
            with translated(f"read the parameter {name}"):
                return self._ssm.get_parameter(Name=name)["Parameter"]["Value"]
        except NotFoundError:
            return None


def _image(image: "ImageTypeDef") -> WorkerAmi:
    told = tags_of(image)
    disks = [disk["Ebs"] for disk in image.get("BlockDeviceMappings", []) if "Ebs" in disk]
    debians = {theirs: ours for ours, theirs in _ARCHITECTURES.items()}
    return WorkerAmi(
        id=image["ImageId"],
        digest=told.get(ARTIFACTS_TAG, ""),
        base=told.get(BASE_TAG, ""),
        architecture=debians.get(image["Architecture"], image["Architecture"]),
        created=image.get("CreationDate", ""),
        size_gib=sum(disk.get("VolumeSize", 0) for disk in disks),
        state=image["State"],
        snapshots=tuple(disk["SnapshotId"] for disk in disks if "SnapshotId" in disk),
    )
