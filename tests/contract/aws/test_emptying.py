from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cloudkon.aws.stack.emptying import empty, holds_objects
from cloudkon.errors import CloudKonError

BUCKET = "workloads"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


def test_a_delete_marker_is_an_object_too(s3: Any) -> None:
    """A bucket whose objects were all deleted still holds their versions, and so can't be deleted itself."""
    s3.put_object(Bucket=BUCKET, Key="tasks.txt", Body=b"sleep 0")
    s3.delete_object(Bucket=BUCKET, Key="tasks.txt")
    assert holds_objects(s3, BUCKET)


def test_empty_deletes_every_page(s3: Any) -> None:
    """Versions and delete markers beyond the first page of 1,000 go as well."""
    for number in range(501):
        for _ in range(2):
            s3.put_object(Bucket=BUCKET, Key=f"{number}.txt", Body=b"")
    s3.delete_object(Bucket=BUCKET, Key="0.txt")
    assert empty(s3, BUCKET) == 1_003
    assert not holds_objects(s3, BUCKET)


def test_missing_bucket_is_empty(s3: Any) -> None:
    """A bucket that does not exist holds nothing and needs no emptying."""
    assert not holds_objects(s3, "other")
    assert empty(s3, "other") == 0


class Stubborn:
    """S3 that answers a DeleteObjects call with success, and a refusal for one of its entries."""

    def list_object_versions(self, **_: Any) -> Any:
        return {"Versions": [{"Key": "a", "VersionId": "1"}, {"Key": "b", "VersionId": "2"}]}

    def delete_objects(self, **_: Any) -> Any:
        return {"Errors": [{"Key": "b", "Code": "AccessDenied", "Message": "no"}]}


def test_refused_entries_are_read() -> None:
    """An entry that S3 refuses to delete, within a call that succeeds, is an error that names it."""
    stubborn: Any = Stubborn()
    with pytest.raises(CloudKonError, match="delete 1 of 2 versions in workloads; the first: b: AccessDenied"):
        empty(stubborn, BUCKET)
