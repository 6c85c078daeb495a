"""What Lambda is called with: an S3 event as sources of jobs, an SQS event as deliveries.

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


def sources(event: Mapping[str, Any]) -> Iterator[Source]:
    """Yield the objects that an event tells of, in its order; raise WireError if a record lacks what it must have."""
    for record in event.get("Records", []):
        try:
            yield _source(record)
        except (KeyError, TypeError, ValueError) as error:
            raise WireError(f"This is no record of an S3 event: {error!r} in {record!r:.500}") from error


def deliveries(event: Mapping[str, Any], now_ms: int) -> Iterator[Delivery]:
    """Yield the messages that an event brings; raise WireError if a record lacks what it must have."""
    for record in event.get("Records", []):
        try:
            count = int(record["attributes"]["ApproximateReceiveCount"])
            yield Delivery(record["body"], record["receiptHandle"], count, now_ms)
        except (KeyError, TypeError, ValueError) as error:
            raise WireError(f"This is no record of an SQS event: {error!r} in {record!r:.500}") from error


def _source(record: Mapping[str, Any]) -> Source:
    found = record["s3"]["object"]
    time = str(record["eventTime"])
    version, pinned = _version(found, time)
    return Source(
        bucket=str(record["s3"]["bucket"]["name"]),
        key=unquote_plus(found["key"]),
        version=version,
        event_ms=epoch_ms(datetime.fromisoformat(time)),
        pinned=pinned,
    )


def _version(found: Mapping[str, Any], time: str) -> tuple[str, bool]:
    """What tells this content of the key from any other, and whether a read can name it.

    A bucket without versioning has no version to pin ("null" is the one that the next put replaces): the sequencer
    grows with every put of the key, and the event's time with the ETag is the last resort.
    """
    version = found.get("versionId")
    if version and version != "null":
        return str(version), True
    return str(found.get("sequencer") or f"{time} {found.get('eTag', '')}"), False
