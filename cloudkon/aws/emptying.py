"""Empties a bucket for good: every version of every object, and every delete marker."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.errors import CloudKonError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectVersionsOutputTypeDef, ObjectIdentifierTypeDef


def holds_objects(s3: "S3Client", bucket: str) -> bool:
    """Whether there is any version or delete marker in the bucket; a bucket that does not exist holds none."""
    with translated(f"list the bucket {bucket}"):
        try:
            page = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
        except ClientError as error:
            if error_code(error) == "NoSuchBucket":
                return False
            raise
    return bool(_everything(page))


def empty(s3: "S3Client", bucket: str) -> int:
    """Delete everything in the bucket and return how many versions that were; raise CloudKonError if any stays."""
    deleted = 0
    with translated(f"empty the bucket {bucket}"):
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        try:
            for page in pages:  # a page and a DeleteObjects call both hold 1,000 at most
                deleted += _delete(s3, bucket, _everything(page))
        except ClientError as error:
            if error_code(error) != "NoSuchBucket":
                raise
    return deleted


def _everything(page: "ListObjectVersionsOutputTypeDef") -> "list[ObjectIdentifierTypeDef]":
    versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]


def _delete(s3: "S3Client", bucket: str, objects: "list[ObjectIdentifierTypeDef]") -> int:
    if not objects:
        return 0
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    failures = answer.get("Errors", [])
    if failures:
        first = failures[0]
        raise CloudKonError(
            f"Could not delete {len(failures)} of {len(objects)} versions in {bucket}; the first: "
            f"{first.get('Key')}: {first.get('Code')}: {first.get('Message')}"
        )
    return len(objects)
