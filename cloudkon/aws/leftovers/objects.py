"""In the buckets: artifacts that no image was made from, and uploads that were never finished."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.machines.instances import described, is_there
from cloudkon.aws.tags import of_stage, tags_of
from cloudkon.clock import epoch_ms
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.stage.leftovers import Kind, Leftover, objects_usd, why_artifacts, why_upload
from cloudkon.stage.names import ARTIFACTS_TAG

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

_ARTIFACTS = re.compile(r"artifacts/([0-9a-f]{12})/.+")
_MOST_DELETED = 1_000
"""https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""


def find_artifacts(subject: Subject) -> Iterator[Leftover]:
    """One for each build, whatever number of files it has; what else lies in artifacts/ is not ours."""
    bucket = subject.names.results_bucket
    builds = _builds(subject, bucket)
    named = _named(subject) if builds else frozenset()
    for digest, files in builds.items():
        written_ms = max(epoch_ms(each["LastModified"]) for each in files)
        if why := why_artifacts(written_ms, subject.clock.now_ms(), named=digest in named):
            yield Leftover(
                Kind.ARTIFACTS,
                f"s3://{bucket}/artifacts/{digest}/",
                why,
                written_ms,
                objects_usd(sum(each["Size"] for each in files)),
                tuple(each["Key"] for each in files),
            )


def remove_artifacts(subject: Subject, leftover: Leftover) -> None:
    """Delete the files that were found, and no other."""
    bucket = subject.names.results_bucket
    for first in range(0, len(leftover.parts), _MOST_DELETED):
        keys = leftover.parts[first : first + _MOST_DELETED]
        with translated(f"delete {leftover.id}"):
            answer = subject.session.s3().delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        for refused in answer.get("Errors", []):
            raise CloudKonError(f"Could not delete {refused.get('Key')}: {refused.get('Code')}.")


def find_uploads(subject: Subject) -> Iterator[Leftover]:
    client = subject.session.s3()
    for bucket in (subject.names.workloads_bucket, subject.names.results_bucket):
        try:
            with translated(f"list the uploads to {bucket}"):
                pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket)
                found = [each for page in pages for each in page.get("Uploads", [])]
        except NotFoundError:
            continue
        for each in found:
            begun_ms = epoch_ms(each["Initiated"])
            if why := why_upload(begun_ms, subject.clock.now_ms()):
                parts = (bucket, each["Key"], each["UploadId"])
                yield Leftover(Kind.UPLOAD, f"s3://{bucket}/{each['Key']}", why, begun_ms, parts=parts)


def remove_upload(subject: Subject, leftover: Leftover) -> None:
    bucket, key, upload = leftover.parts
    with translated(f"abort an upload to {leftover.id}"):
        subject.session.s3().abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)


def _builds(subject: Subject, bucket: str) -> "dict[str, list[ObjectTypeDef]]":
    """The files by the digest that names their build."""
    builds: dict[str, list[ObjectTypeDef]] = defaultdict(list)
    try:
        with translated(f"list the artifacts in {bucket}"):
            pages = subject.session.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="artifacts/")
            for each in (each for page in pages for each in page.get("Contents", [])):
                if match := _ARTIFACTS.fullmatch(each["Key"]):
                    builds[match[1]].append(each)
    except NotFoundError:
        return {}
    return builds


def _named(subject: Subject) -> frozenset[str]:
    """The digests of the stage's images, and of the instances that are to become one."""
    client, ours = subject.session.ec2(), of_stage(subject.names)
    with translated("list the images of the stage"):
        pages = client.get_paginator("describe_images").paginate(Owners=["self"], Filters=[ours])
        images = [image for page in pages for image in page["Images"]]
    instances = filter(is_there, described(client, ours))
    return frozenset(tags_of(each).get(ARTIFACTS_TAG, "") for each in (*images, *instances))
