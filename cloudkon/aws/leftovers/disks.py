"""Volumes that are attached to nothing, and snapshots whose image is gone."""

from collections.abc import Iterator

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.tags import of_stage, tags_of
from cloudkon.clock import epoch_ms
from cloudkon.stage.leftovers import Kind, Leftover, snapshot_usd, volume_usd, why_snapshot, why_volume
from cloudkon.stage.names import ARTIFACTS_TAG


def find_volumes(subject: Subject) -> Iterator[Leftover]:
    with translated("list the volumes of the stage"):
        pages = subject.session.ec2().get_paginator("describe_volumes").paginate(Filters=[of_stage(subject.names)])
        found = [each for page in pages for each in page["Volumes"]]
    for each in found:
        created_ms = epoch_ms(each["CreateTime"])
        if why := why_volume(each["State"], created_ms, subject.clock.now_ms()):
            cost = volume_usd(each.get("VolumeType", ""), each["Size"])
            yield Leftover(Kind.VOLUME, each["VolumeId"], f"{each['Size']} GiB: {why}", created_ms, cost)


def remove_volume(subject: Subject, leftover: Leftover) -> None:
    with translated(f"delete {leftover.id}"):
        subject.session.ec2().delete_volume(VolumeId=leftover.id)


def find_snapshots(subject: Subject) -> Iterator[Leftover]:
    """Only those that an image was made with: a backup of a disk has taken over the disk's tags, and is no leftover."""
    client = subject.session.ec2()
    with translated("list the snapshots of the stage"):
        pages = client.get_paginator("describe_snapshots").paginate(
            OwnerIds=["self"], Filters=[of_stage(subject.names)]
        )
        found = [each for page in pages for each in page["Snapshots"] if ARTIFACTS_TAG in tags_of(each)]
    used = _in_images(subject) if found else frozenset()
    for each in found:
        id_, started_ms = each["SnapshotId"], epoch_ms(each["StartTime"])
        if why := why_snapshot(started_ms, subject.clock.now_ms(), in_an_image=id_ in used):
            size_gib = each["VolumeSize"]
            yield Leftover(Kind.SNAPSHOT, id_, f"{size_gib} GiB: {why}", started_ms, snapshot_usd(size_gib))


def remove_snapshot(subject: Subject, leftover: Leftover) -> None:
    with translated(f"delete {leftover.id}"):
        subject.session.ec2().delete_snapshot(SnapshotId=leftover.id)


def _in_images(subject: Subject) -> frozenset[str]:
    """The snapshots of all images of the account, whatever their tags: copies of an image share none, others may."""
    with translated("list the images"):
        pages = subject.session.ec2().get_paginator("describe_images").paginate(Owners=["self"])
        disks = [disk for page in pages for image in page["Images"] for disk in image.get("BlockDeviceMappings", [])]
    return frozenset(disk["Ebs"]["SnapshotId"] for disk in disks if "SnapshotId" in disk.get("Ebs", {}))
