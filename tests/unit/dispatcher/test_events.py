from typing import Any

import pytest

from cloudkon.errors import WireError
from cloudkon.ports import Delivery
from dispatcher.events import deliveries, sources


def record(key: str = "tasks.txt", time: str = "2026-01-02T03:04:05.678Z", **found: str) -> dict[str, Any]:
    return {"eventTime": time, "s3": {"bucket": {"name": "workloads"}, "object": {"key": key, **found}}}


def test_version_pins_the_source() -> None:
    """An object of a versioned bucket is read in the version that the event names."""
    (source,) = sources({"Records": [record(versionId="v1", sequencer="7", eTag="e")]})
    assert (source.bucket, source.key, source.version, source.pinned) == ("workloads", "tasks.txt", "v1", True)


def test_event_time_in_milliseconds() -> None:
    """The job begins at the event's time, in milliseconds since the epoch."""
    (source,) = sources({"Records": [record(time="1970-01-01T00:00:01.234Z", versionId="v1")]})
    assert source.event_ms == 1_234


@pytest.mark.parametrize(
    ("quoted", "key"),
    [("a+b.txt", "a b.txt"), ("a%2Bb.txt", "a+b.txt"), ("in/%C3%BC.txt", "in/ü.txt"), ("100%25.txt", "100%.txt")],
)
def test_keys_are_unquoted(quoted: str, key: str) -> None:
    """S3 quotes keys as forms do; the source has the key as it was put."""
    (source,) = sources({"Records": [record(quoted, versionId="v1")]})
    assert source.key == key


@pytest.mark.parametrize("version", [{}, {"versionId": "null"}, {"versionId": ""}])
def test_sequencer_stands_in_for_a_missing_version(version: dict[str, str]) -> None:
    """Without versioning the sequencer tells two puts of a key apart, and reads name no version."""
    (source,) = sources({"Records": [record(sequencer="0055AED6", **version)]})
    assert (source.version, source.pinned) == ("0055AED6", False)


def test_time_and_etag_are_the_last_resort() -> None:
    """Without version and sequencer, another time or another content is another job."""
    events = [record(eTag="a"), record(eTag="b"), record(eTag="a", time="2026-01-02T03:04:05.679Z"), record(eTag="a")]
    versions = [source.version for source in sources({"Records": events})]
    assert len(set(versions)) == 3
    assert versions[0] == versions[3]


def test_every_record_counts() -> None:
    """An event with several records is several sources, in its order."""
    keys = [source.key for source in sources({"Records": [record("a", versionId="1"), record("b", versionId="2")]})]
    assert keys == ["a", "b"]


def test_event_without_records() -> None:
    """The test event that S3 sends when a notification is set up is no job."""
    assert list(sources({"Service": "Amazon S3", "Event": "s3:TestEvent"})) == []


@pytest.mark.parametrize("broken", [{}, {"s3": {}}, record(time="yesterday"), {"s3": None, "eventTime": "x"}])
def test_other_records_are_refused(broken: dict[str, Any]) -> None:
    """A record that is none of S3's is refused with what it said."""
    with pytest.raises(WireError, match=r"no record of an S3 event.*\{"):
        list(sources({"Records": [broken]}))


def message(body: str, **changes: Any) -> dict[str, Any]:
    return {"body": body, "receiptHandle": "r1", "attributes": {"ApproximateReceiveCount": "3"}, **changes}


def test_every_message_is_a_delivery() -> None:
    """A message has its body, its receipt handle, and how often it has been received."""
    found = deliveries({"Records": [message("a"), message("b")]}, now_ms=7)
    assert list(found) == [Delivery("a", "r1", 3, 7), Delivery("b", "r1", 3, 7)]


@pytest.mark.parametrize("broken", [{}, message("a", attributes={}), {"s3": {}}])
def test_other_messages_are_refused(broken: dict[str, Any]) -> None:
    """A record that is none of SQS's is refused with what it said."""
    with pytest.raises(WireError, match=r"no record of an SQS event.*\{"):
        list(deliveries({"Records": [broken]}, 0))
