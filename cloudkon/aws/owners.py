"""Whose a stage's bucket has to be: a bucket's name can be guessed, and taken by somebody else."""

import re
from collections.abc import Mapping
from typing import Any

_OURS = re.compile(r"cloudkon-[a-z0-9-]+-(?:workloads|results)-(\d{12})-[a-z0-9-]+")


def name_owner(params: dict[str, Any], model: Any, context: Mapping[str, Any], **_: Any) -> None:
    """Have S3 refuse a request about a bucket of ours that is not of the account in its name.

    A link is not told: whoever opens it would have to send the same header.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """
    found = _OURS.fullmatch(str(params.get("Bucket", "")))
    if found and "ExpectedBucketOwner" in model.input_shape.members and not context.get("is_presign_request"):
        params.setdefault("ExpectedBucketOwner", found[1])
