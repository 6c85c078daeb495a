"""Finds where workers can run when nobody has said: the default VPC, where it has what they run on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudkon.aws.errors import translated
from cloudkon.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


@dataclass(frozen=True, slots=True)
class Network:
    vpc: str
    subnets: Sequence[str]


def default_network(client: "EC2Client", types: Sequence[str]) -> Network:
    """The default VPC, with its default subnets in zones that have every type.

    Auto Scaling refuses a group that has a zone without one of its types. Raises InputError if there is none left.
    """
    region = client.meta.region_name
    with translated("look for the default VPC"):
        vpcs = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        if not vpcs:
            raise InputError(
                f"There is no default VPC in {region} for workers to run in. Name one of yours: cloudkon-cli deploy "
                "--parameter VpcId=vpc-... --parameter SubnetIds=subnet-...,subnet-... Or do without workers on EC2: "
                "cloudkon-cli deploy --parameter Fleet=no"
            )
        vpc = vpcs[0]["VpcId"]
        subnets = client.describe_subnets(
            Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default-for-az", "Values": ["true"]}]
        )["Subnets"]
    zones = _zones_with(client, types)
    found = sorted(subnet["SubnetId"] for subnet in subnets if subnet["AvailabilityZone"] in zones)
    if not found:
        raise InputError(
            f"No zone of {region} has a default subnet and all of {', '.join(types)}. Choose others: --parameter "
            "InstanceType=..., SecondInstanceType=..., ThirdInstanceType=..., each after a --parameter of its own."
        )
    return Network(vpc, found)


def _zones_with(client: "EC2Client", types: Sequence[str]) -> set[str]:
    with translated(f"ask which zones have {', '.join(types)}"):
        pages = client.get_paginator("describe_instance_type_offerings").paginate(
            LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": list(types)}]
        )
        offered = {(one["InstanceType"], one["Location"]) for page in pages for one in page["InstanceTypeOfferings"]}
    zones = {zone for _, zone in offered}
    return {zone for zone in zones if all((one, zone) in offered for one in types)}
