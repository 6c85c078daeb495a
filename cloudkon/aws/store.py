"""A bucket in S3, read as streams that survive a broken connection."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from cloudkon.aws.errors import error_code, translated
from cloudkon.backoff import Backoff
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ports import ObjectInfo

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

MAX_PUT_BYTES = 5 * 1024**3
"""Of one PutObject. https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html"""
_CHUNK_BYTES = 256 * 1024
_MAX_BREAKS = 5
"""How often in a row a stream may break without a byte in between."""
_BROKEN = (ConnectionClosedError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError)


class S3Store:
    """Implements ports.ObjectStore; safe to share between threads, as its client is."""

    def __init__(self, client: "S3Client", bucket: str, clock: Clock, backoff: Backoff | None = None) -> None:
        self._client = client
        self._clock = clock
        self._backoff = backoff or Backoff()
        self.bucket = bucket

    def stat(self, key: str, version: str | None = None) -> ObjectInfo:
        with translated(f"look at s3://{self.bucket}/{key}"):
            head = self._client.head_object(Bucket=self.bucket, Key=key, **_pinned(version))
        return ObjectInfo(head["ContentLength"], head["ETag"].strip('"'))

    def read(self, key: str, version: str | None = None, start: int = 0) -> Iterator[bytes]:
        """A stream that breaks goes on where it broke, and only on the same content."""
        at, end, breaks, pin = start, None, 0, _pinned(version)
        with translated(f"read s3://{self.bucket}/{key}"):
            while end is None or at < end:
                answer = self._get(key, at, pin)
                if answer is None:
                    return
                # S3 heeds a range; ministack does not in a read by version, and begins at the beginning.
                skip = 0 if "ContentRange" in answer else at
                end, pin = at - skip + answer["ContentLength"], pin | {"IfMatch": answer["ETag"]}
                body = answer["Body"]
                try:
                    for chunk in _without(skip, body.iter_chunks(_CHUNK_BYTES)):
                        at, breaks = at + len(chunk), 0
                        yield chunk
                except _BROKEN:
                    breaks += 1
                    if breaks > _MAX_BREAKS:
                        raise
                    self._clock.sleep(self._backoff.delay_s(breaks))
                finally:
                    body.close()

    def write(self, key: str, data: bytes) -> None:
        with translated(f"write s3://{self.bucket}/{key}"):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def upload(self, key: str, source: Path | BinaryIO) -> str | None:
        """Write a file, or a stream to its end; return the object's version, None in a bucket without versions."""
        if isinstance(source, Path):
            with source.open("rb") as file:
                if source.stat().st_size <= MAX_PUT_BYTES:
                    with translated(f"write s3://{self.bucket}/{key}"):
                        return self._client.put_object(Bucket=self.bucket, Key=key, Body=file).get("VersionId")
                return self._upload_in_parts(key, file)
        return self._upload_in_parts(key, source)

    def link(self, key: str, valid_s: int | None = None) -> str:
        """The object's address, or a URL that opens while it is valid, and no longer than the credentials that sign."""
        if valid_s is None:
            return f"s3://{self.bucket}/{key}"
        asked = {"Bucket": self.bucket, "Key": key}
        with translated(f"sign a link to s3://{self.bucket}/{key}"):
            return self._client.generate_presigned_url("get_object", Params=asked, ExpiresIn=valid_s)

    def is_versioned(self) -> bool:
        with translated(f"ask for the versioning of the bucket {self.bucket}"):
            return self._client.get_bucket_versioning(Bucket=self.bucket).get("Status") == "Enabled"

    def _upload_in_parts(self, key: str, stream: BinaryIO) -> str | None:
        with translated(f"write s3://{self.bucket}/{key}"):
            self._client.upload_fileobj(stream, self.bucket, key)
            return self._client.head_object(Bucket=self.bucket, Key=key).get("VersionId")

    def _get(self, key: str, start: int, pin: dict[str, Any]) -> "GetObjectOutputTypeDef | None":
        """Ask for the object from an offset on; None if it ends before."""
        part: Any = {"Range": f"bytes={start}-"} if start else {}  # S3 refuses every range of an empty object
        try:
            return self._client.get_object(Bucket=self.bucket, Key=key, **part, **pin)
        except ClientError as error:
            match error_code(error):
                case "InvalidRange":
                    return None
                case "PreconditionFailed":
                    raise CloudKonError(
                        f"s3://{self.bucket}/{key} was replaced while it was read. Read it again, or by its version."
                    ) from error
            raise


def _without(skip: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, so many bytes at their beginning left out."""
    for chunk in chunks:
        if kept := chunk[skip:]:
            yield kept
        skip = max(0, skip - len(chunk))


def _pinned(version: str | None) -> dict[str, Any]:
    return {} if version is None else {"VersionId": version}
