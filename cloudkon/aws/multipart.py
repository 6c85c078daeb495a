"""Uploads in parts: a few at once, so many in memory, and nothing of them left behind by a failure.

A process that is killed leaves its upload unfinished, and paid for: the bucket's lifecycle aborts it after a day, and
`cloudkon-cli sweep` at once.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Literal

from botocore.exceptions import BotoCoreError, ClientError

from cloudkon.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 8 * 1024**2
MULTIPART_ABOVE_BYTES = 2 * PART_BYTES
"""What is smaller gains nothing from parts, and costs one request instead of four and more."""
_MAX_PARTS = 10_000
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""
_GROWS_EVERY = 2_000
"""So many parts later they are twice as large: 480 GB fit, of a stream of unknown length too."""
_AT_ONCE = 4
_CHECKSUM: Literal["CRC32"] = "CRC32"


def upload_in_parts(client: "S3Client", bucket: str, key: str, stream: BinaryIO) -> str | None:
    """Write a stream, of a byte at least, to its end; return the object's version, None in a bucket without versions.

    Raises what the client raises, and InputError for more than 480 GB; the upload is aborted then.
    """
    upload = client.create_multipart_upload(Bucket=bucket, Key=key, ChecksumAlgorithm=_CHECKSUM)["UploadId"]
    try:
        parts = _sent(client, bucket, key, upload, stream)
        answer = client.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )
    except BaseException:
        with suppress(BotoCoreError, ClientError):  # what made it fail is worth telling; the sweep is for this
            client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        raise
    version = answer.get("VersionId")
    return None if version == "null" else version  # S3's word for an object without versions


def _sent(client: "S3Client", bucket: str, key: str, upload: str, stream: BinaryIO) -> "list[CompletedPartTypeDef]":
    def send(number: int, data: bytes) -> "CompletedPartTypeDef":
        answer = client.upload_part(
            Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data, ChecksumAlgorithm=_CHECKSUM
        )
        part: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        if "ChecksumCRC32" in answer:
            part["ChecksumCRC32"] = answer["ChecksumCRC32"]
        return part

    sent, under_way = [], deque[Future["CompletedPartTypeDef"]]()
    with ThreadPoolExecutor(_AT_ONCE, "upload") as pool:
        try:
            for number, data in enumerate(_read(stream), start=1):
                under_way.append(pool.submit(send, number, data))
                if len(under_way) == _AT_ONCE:
                    sent.append(under_way.popleft().result())
            sent += [future.result() for future in under_way]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)  # an abort misses the parts that are still on their way
    return sent


def _read(stream: BinaryIO) -> Iterator[bytes]:
    for number in range(_MAX_PARTS):
        data = stream.read(PART_BYTES << number // _GROWS_EVERY)
        if not data:
            return
        yield data
    if stream.read(1):
        raise InputError("What is larger than 480 GB can't be uploaded. Cut it into several files.")
