"""Events that the Lambda function `ingest` has failed at three times, as Lambda keeps them for whoever repeats them.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from cloudkon.errors import WireError


@dataclass(frozen=True, slots=True)
class FailedEvent:
    """One event, which tells of one object or of several."""

    objects: Sequence[str]
    """bucket/key of each."""
    payload: str
    """The event itself, as JSON."""
    reason: str

    def __str__(self) -> str:
        return f"event of {', '.join(self.objects)}"


def decode_failed_event(body: str) -> FailedEvent:
    """Read Lambda's record of an invocation that failed; raise WireError with the reason if it is none of S3's."""
    try:
        record = json.loads(body)
        event, condition = record["requestPayload"], record["requestContext"]["condition"]
        objects = tuple(_object(each["s3"]) for each in event["Records"])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise WireError(f"The message is no record of an event of S3: {error!r:.200}.") from error
    if not objects:
        raise WireError("The message is the record of an event that tells of no object.")
    return FailedEvent(objects, json.dumps(event), f"ingest failed at it ({condition}): {_said(record)}")


def _object(s3: Any) -> str:
    return f"{s3['bucket']['name']}/{unquote_plus(s3['object']['key'])}"


def _said(record: Any) -> str:
    answer = record.get("responsePayload")
    return str(answer.get("errorMessage", "no reason given")) if isinstance(answer, dict) else "no reason given"
