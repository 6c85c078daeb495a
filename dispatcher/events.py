"""Reads the events that Lambda is called with: an S3 event as sources of jobs, an SQS event as deliveries.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from cloudkon.clock import epoch_ms
from cloudkon.errors import WireError
from cloudkon.ledger.job import Source
from cloudkon.ports import Delivery
from cloudkon.printable import one_line


def sources(event: Mapping[str, Any], bucket: str) -> Iterator[Source | WireError]:
    """Yield, for each record of an event in its order, the object that it tells of or what is wrong with the record.

    A record that is wrong keeps no other one from being read. Objects of 0 bytes whose key ends with a slash are left
    out: with them the S3 console and other programs make a folder show.
    """
    for record in _records(event):
        try:
            source = _source(record, bucket)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            yield WireError(f"This is no record of an S3 event: {error!r:.200} in {one_line(repr(record), 500)}")
        else:
            if source is not None:
                yield source


def deliveries(event: Mapping[str, Any], now_ms: int) -> Iterator[Delivery]:
    """Yield the messages that an event brings; raise WireError if a record lacks what it must have."""
    for record in _records(event):
        try:
            count = int(record["attributes"]["ApproximateReceiveCount"])
            yield Delivery(_text(record["body"]), _text(record["receiptHandle"]), count, now_ms)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise WireError(
                f"This is no record of an SQS event: {error!r:.200} in {one_line(repr(record), 500)}"
            ) from error


def _records(event: Mapping[str, Any]) -> list[Any]:
    records = event.get("Records", [])
    if isinstance(records, list):
        return records
    raise WireError(f"This is no event of S3 or SQS: its Records are {one_line(repr(records))}.")


def _source(record: Mapping[str, Any], bucket: str) -> Source | None:
    found = record["s3"]["object"]
    time = _text(record["eventTime"])
    key = unquote_plus(_text(found["key"]))
    if key.endswith("/") and found.get("size") == 0:
        return None
    version, pinned = _version(found, time)
    source = Source(
        bucket=_text(record["s3"]["bucket"]["name"]),
        key=key,
        version=version,
        event_ms=epoch_ms(datetime.fromisoformat(time)),
        pinned=pinned,
    )
    if source.bucket != bucket:
        raise ValueError(f"the bucket is {source.bucket!r:.100}, and workloads are in {bucket!r}")
    if source.event_ms < 0:
        raise ValueError("the time is before 1970")
    if not key:
        raise ValueError("the key is empty")
    return source


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r:.100} is not text")


def _version(found: Mapping[str, Any], time: str) -> tuple[str, bool]:
    """A text that differs for every content of the key, and whether a read can name it as a version.

    A bucket without versioning has no version to pin ("null" is the one that the next put replaces): the sequencer
    grows with every put of the key, and the event's time with the ETag is the last resort.
    """
    version = found.get("versionId")
    if version and version != "null":
        return str(version), True
    return str(found.get("sequencer") or f"{time} {found.get('eTag', '')}"), False
