"""The tags by which a stage's machines, disks and images are known; the image builder sets them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudkon.names import STAGE_TAG, Names

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef


def of_stage(names: Names) -> "list[FilterTypeDef]":
    return [{"Name": f"tag:{STAGE_TAG}", "Values": [names.stage]}]


def tags(thing: Mapping[str, Any]) -> Mapping[str, str]:
    """What an answer of EC2's says of a thing's tags."""
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}
