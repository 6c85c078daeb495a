"""Empties a bucket for good: every version of every object, and every delete marker."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.errors import CloudKonError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef


def empty(s3: "S3Client", bucket: str) -> int:
    """Delete everything in the bucket and return how many versions that were; raise CloudKonError if any stays."""
    deleted = 0
    while found := _first_page(s3, bucket):  # from the start each time: what was listed is gone
        _delete(s3, bucket, found)
        deleted += len(found)
    return deleted


def holds_objects(s3: "S3Client", bucket: str) -> bool:
    """Whether there is any version or delete marker in the bucket; a bucket that does not exist holds none."""
    return bool(_first_page(s3, bucket))


def _first_page(s3: "S3Client", bucket: str) -> "list[ObjectIdentifierTypeDef]":
    """Up to 1,000 versions and delete markers, as many as a DeleteObjects call takes."""
    with translated(f"list the bucket {bucket}"):
        try:
            page = s3.list_object_versions(Bucket=bucket)
        except ClientError as error:
            if error_code(error) == "NoSuchBucket":
                return []
            raise
    found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]


def _delete(s3: "S3Client", bucket: str, objects: "list[ObjectIdentifierTypeDef]") -> None:
    with translated(f"empty the bucket {bucket}"):
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    failures = answer.get("Errors", [])
    if failures:
        first = failures[0]
        raise CloudKonError(
            f"Could not delete {len(failures)} of {len(objects)} versions in {bucket}; the first: "
            f"{first.get('Key')}: {first.get('Code')}: {first.get('Message')}"
        )
