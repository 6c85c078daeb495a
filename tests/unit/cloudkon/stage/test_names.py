import re

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import InputError
from cloudkon.stage.names import DEFAULT_STAGE, Names, check_stage, partition

# The longest of AWS's regions; https://docs.aws.amazon.com/general/latest/gr/rande.html
_LONGEST_REGION = "ap-southeast-1"


def test_a_stage_names_everything_after_itself() -> None:
    """The Lambda, the workers and the CLI find a stage's things by its name."""
    names = Names(DEFAULT_STAGE, "123456789012", "eu-central-1")
    assert names.stack == "cloudkon-dev"
    assert names.workloads_bucket == "cloudkon-dev-workloads-123456789012-eu-central-1"
    assert names.results_bucket == "cloudkon-dev-results-123456789012-eu-central-1"
    assert names.task_queue == "cloudkon-dev-tasks"
    assert names.process_queue == "cloudkon-dev-process"
    assert names.dead_letter_queue == "cloudkon-dev-dead-letters"
    assert names.ledger_table == "cloudkon-dev-ledger"


@given(st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]|[a-z]", fullmatch=True))
def test_every_stage_names_buckets_that_s3_accepts(stage: str) -> None:
    """A bucket's name has 3 to 63 lower-case letters, digits and hyphens, in every region."""
    names = Names(stage, "123456789012", _LONGEST_REGION)
    for bucket in (names.workloads_bucket, names.results_bucket):
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket)


@pytest.mark.parametrize("stage", ["", "-a", "a-", "1a", "Dev", "a_b", "a" * 13, "dev\n", "größe", "a b"])
def test_other_stages_are_refused(stage: str) -> None:
    """A stage after which no bucket could be called is refused with the rule."""
    with pytest.raises(InputError, match="is not a stage's name: 1 to 12 lower-case letters"):
        check_stage(stage)
    with pytest.raises(InputError, match="is not a stage's name"):
        Names(stage, "123456789012", _LONGEST_REGION)


def test_every_region_that_boto_knows_is_of_the_right_partition() -> None:
    """China, GovCloud, the European Sovereign Cloud and the isolated regions are told apart as botocore does it."""
    known = botocore.session.Session()
    regions = {
        region: name
        for name in known.get_available_partitions()
        for region in known.get_available_regions("sqs", partition_name=name)
    }
    assert len(set(regions.values())) >= 4
    assert {region: partition(region) for region in regions} == regions


@pytest.mark.parametrize(
    ("region", "begins"),
    [("eu-central-1", "arn:aws:"), ("cn-north-1", "arn:aws-cn:"), ("us-gov-west-1", "arn:aws-us-gov:")],
)
def test_an_arn_is_of_the_partition_of_its_region(region: str, begins: str) -> None:
    """An ARN is of the region's partition; a bucket's tells neither the region nor the account."""
    names = Names("dev", "123456789012", region)
    assert names.arn("sqs", names.task_queue) == f"{begins}sqs:{region}:123456789012:cloudkon-dev-tasks"
    assert names.arn("s3", "any/key") == f"{begins}s3:::any/key"
