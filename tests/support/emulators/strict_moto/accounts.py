"""Accounts that are not as moto's is: with AWS's Free Plan, or without a default VPC."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend

# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-free-tier-usage.html
FREE_TYPES = frozenset({"t3.micro", "t3.small", "t4g.micro", "t4g.small", "c7i-flex.large", "m7i-flex.large"})


@contextmanager
def free_plan() -> Iterator[None]:
    """EC2 starts a few types only; the words are those of github.com/aws-samples/eks-workshop-v2/issues/1644."""
    run_instances = EC2Backend.run_instances

    def run(backend: Any, *arguments: Any, **options: Any) -> Any:
        template = options.get("launch_template")
        of_template = backend._get_template_from_args(template).data.get("InstanceType") if template else None
        kind = options.get("instance_type") or of_template
        if kind not in FREE_TYPES:
            raise EC2ClientError(
                "InvalidParameterCombination",
                "The specified instance type is not eligible for Free Tier. For a list of Free Tier instance types, "
                "run 'describe-instance-types' with the filter 'free-tier-eligible=true'.",
            )
        return run_instances(backend, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EC2Backend, "run_instances", run)
        yield


def delete_default_vpc(ec2: Any) -> None:
    """As AWS Control Tower does in every account that it makes, in each region.

    https://docs.aws.amazon.com/controltower/latest/userguide/vpc-concepts.html
    """
    for vpc in ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]:
        for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])
