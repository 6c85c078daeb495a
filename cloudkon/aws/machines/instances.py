"""EC2's instances as it describes them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cloudkon.aws.errors import translated
from cloudkon.stage.machine import ENDED

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef


def described(client: "EC2Client", wanted: "FilterTypeDef") -> "Sequence[InstanceTypeDef]":
    """The instances that a filter leaves; one that was just started may be missing, one that has ended be there."""
    with translated("list the instances"):
        pages = client.get_paginator("describe_instances").paginate(Filters=[wanted])
        return [each for page in pages for reservation in page["Reservations"] for each in reservation["Instances"]]


def is_there(instance: "InstanceTypeDef") -> bool:
    return instance["State"]["Name"] not in ENDED
