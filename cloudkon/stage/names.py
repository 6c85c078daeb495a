"""What everything of a stage is called: the Lambda, the workers and the CLI find it by the stage's name."""

import re
from dataclasses import dataclass

from cloudkon.errors import InputError

DEFAULT_STAGE = "dev"
DRAIN_HOOK = "drain"
"""The group's lifecycle hook: it holds an instance's end up until its workers have drained."""
METRIC_NAMESPACE = "CloudKon"
"""The namespace of the metrics of all stages; the dimension Stage tells them apart."""
STAGE_TAG = "cloudkon:stage"
"""The tag of everything that belongs to a stage; its value is the stage's name."""
ARTIFACTS_TAG = "cloudkon:artifacts"
"""The digest of what an image is made from: on the image, on its snapshots, and on the instance that becomes it."""
BASE_TAG = "cloudkon:base"
"""The image that an image was made from."""
BUILD_TAG = "cloudkon:build"
"""The tag of an instance that is to become an image; its value differs for every build."""
# A bucket's name has at most 63 characters: cloudkon-<stage>-workloads-<account>-<region> leaves 12 for the stage.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_PARTITIONS = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}
"""By how a region's name begins; all others are of the commercial one."""
_STAGE = re.compile(r"[a-z][a-z0-9-]{0,10}[a-z0-9]|[a-z]")
_WORKLOADS_BUCKET = re.compile(rf"cloudkon-({_STAGE.pattern})-workloads-[0-9]{{12}}-[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a stage; bucket names are global, so they carry the account and the region."""

    stage: str
    account: str
    region: str

    def __post_init__(self) -> None:
        check_stage(self.stage)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of the account and region; a bucket's names neither."""
        place = "::" if service == "s3" else f"{self.region}:{self.account}:"
        return f"arn:{partition(self.region)}:{service}:{place}{resource}"

    @property
    def stack(self) -> str:
        return f"cloudkon-{self.stage}"

    @property
    def workloads_bucket(self) -> str:
        return f"cloudkon-{self.stage}-workloads-{self.account}-{self.region}"

    @property
    def results_bucket(self) -> str:
        return f"cloudkon-{self.stage}-results-{self.account}-{self.region}"

    @property
    def task_queue(self) -> str:
        return f"cloudkon-{self.stage}-tasks"

    @property
    def range_queue(self) -> str:
        return f"cloudkon-{self.stage}-ranges"

    @property
    def process_queue(self) -> str:
        return f"cloudkon-{self.stage}-process"

    @property
    def dead_letter_queue(self) -> str:
        return f"cloudkon-{self.stage}-dead-letters"

    @property
    def parked_queue(self) -> str:
        """Of the messages of paused jobs."""
        return f"cloudkon-{self.stage}-parked"

    @property
    def ledger_table(self) -> str:
        return f"cloudkon-{self.stage}-ledger"

    @property
    def functions(self) -> tuple[str, str]:
        """The names that Chalice gives the Lambda's functions."""
        return f"cloudkon-{self.stage}-ingest", f"cloudkon-{self.stage}-dispatch_range"

    @property
    def worker_role(self) -> str:
        """The role of the workers; its instance profile has the same name."""
        return f"cloudkon-{self.stage}-worker-{self.region}"

    @property
    def image_builder_role(self) -> str:
        """The role of the instance that becomes an image; its instance profile has the same name."""
        return f"cloudkon-{self.stage}-image-builder-{self.region}"

    @property
    def operator_policy(self) -> str:
        """The managed policy of those who drop workloads and look after workers."""
        return f"cloudkon-{self.stage}-operator-{self.region}"

    @property
    def image_policy(self) -> str:
        """The managed policy of those who build images."""
        return f"cloudkon-{self.stage}-images-{self.region}"

    @property
    def launch_template(self) -> str:
        return f"cloudkon-{self.stage}-workers"

    @property
    def worker_group(self) -> str:
        """The auto scaling group."""
        return f"cloudkon-{self.stage}-workers"

    @property
    def image_parameter(self) -> str:
        """The SSM parameter that holds the id of the workers' image."""
        return f"/cloudkon/{self.stage}/worker-image"

    @property
    def worker_log_group(self) -> str:
        return f"/cloudkon/{self.stage}/workers"


def is_workloads_bucket(bucket: str) -> bool:
    """Whether a bucket's name is that of some stage's workloads bucket."""
    return _WORKLOADS_BUCKET.fullmatch(bucket) is not None


def partition(region: str) -> str:
    """Of the region, as ARNs begin; a test compares it with what botocore knows."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def check_stage(stage: str) -> str:
    """Return the stage's name; raise InputError when no bucket could be called after it."""
    if _STAGE.fullmatch(stage):
        return stage
    raise InputError(
        f"{stage!r} is not a stage's name: 1 to 12 lower-case letters, digits and hyphens, "
        "beginning with a letter, such as dev or prod."
    )
