"""The tags by which a stage's machines, disks and images are known."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudkon.stage.names import ARTIFACTS_TAG, BASE_TAG, STAGE_TAG, Names

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef, TagTypeDef


def of_stage(names: Names) -> "FilterTypeDef":
    """Leaves what is the stage's."""
    return {"Name": f"tag:{STAGE_TAG}", "Values": [names.stage]}


def tags_of(thing: Mapping[str, Any]) -> Mapping[str, str]:
    """What an answer of EC2's says of a thing's tags."""
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}


def image_tags(names: Names, digest: str, base: str) -> "list[TagTypeDef]":
    """What an image, its snapshots, and the instance that becomes one are known by."""
    told = {STAGE_TAG: names.stage, ARTIFACTS_TAG: digest, BASE_TAG: base, "Name": f"cloudkon-{names.stage}-image"}
    return [{"Key": key, "Value": value} for key, value in told.items()]
