import re
from typing import Any

import pytest

from cloudkon.errors import WireError
from cloudkon.ledger.job import Source
from cloudkon.ports import Delivery
from dispatcher.events import deliveries, sources


def record(key: Any = "tasks.txt", time: Any = "2026-01-02T03:04:05.678Z", **found: Any) -> dict[str, Any]:
    return {"eventTime": time, "s3": {"bucket": {"name": "workloads"}, "object": {"key": key, **found}}}


def read(event: dict[str, Any]) -> list[Source]:
    """The sources of an event whose records are all right."""
    found = list(sources(event, "workloads"))
    assert not [error for error in found if isinstance(error, WireError)]
    return [source for source in found if isinstance(source, Source)]


def test_version_pins_the_source() -> None:
    """An object of a versioned bucket is read in the version that the event names."""
    (source,) = read({"Records": [record(versionId="v1", sequencer="7", eTag="e")]})
    assert (source.bucket, source.key, source.version, source.pinned) == ("workloads", "tasks.txt", "v1", True)


def test_event_time_in_milliseconds() -> None:
    """The job begins at the event's time, in milliseconds since the epoch."""
    (source,) = read({"Records": [record(time="1970-01-01T00:00:01.234Z", versionId="v1")]})
    assert source.event_ms == 1_234


@pytest.mark.parametrize(
    ("quoted", "key"),
    [("a+b.txt", "a b.txt"), ("a%2Bb.txt", "a+b.txt"), ("in/%C3%BC.txt", "in/ü.txt"), ("100%25.txt", "100%.txt")],
)
def test_keys_are_unquoted(quoted: str, key: str) -> None:
    """S3 quotes keys as forms do; the source has the key as it was put."""
    (source,) = read({"Records": [record(quoted, versionId="v1")]})
    assert source.key == key


@pytest.mark.parametrize("version", [{}, {"versionId": "null"}, {"versionId": ""}])
def test_sequencer_stands_in_for_a_missing_version(version: dict[str, str]) -> None:
    """Without versioning the sequencer tells two puts of a key apart, and reads name no version."""
    (source,) = read({"Records": [record(sequencer="0055AED6", **version)]})
    assert (source.version, source.pinned) == ("0055AED6", False)


def test_time_and_etag_are_the_last_resort() -> None:
    """Without version and sequencer, another time or another content is another job."""
    events = [record(eTag="a"), record(eTag="b"), record(eTag="a", time="2026-01-02T03:04:05.679Z"), record(eTag="a")]
    versions = [source.version for source in read({"Records": events})]
    assert len(set(versions)) == 3
    assert versions[0] == versions[3]


def test_every_record_counts() -> None:
    """An event with several records is several sources, in its order."""
    keys = [source.key for source in read({"Records": [record("a", versionId="1"), record("b", versionId="2")]})]
    assert keys == ["a", "b"]


def test_event_without_records() -> None:
    """The test event that S3 sends when a notification is set up is no job."""
    assert (read({"Service": "Amazon S3", "Event": "s3:TestEvent"})) == []


_FOREIGN = {"eventTime": "2026-01-02T03:04:05Z", "s3": {"bucket": {"name": "another"}, "object": {"key": "a"}}}
_BROKEN: list[Any] = [
    {},
    None,
    "text",
    7,
    [],
    {"s3": {}},
    {"s3": None, "eventTime": "x"},
    {"s3": {"bucket": {"name": "workloads"}, "object": "a string"}, "eventTime": "2026-01-02T03:04:05Z"},
    {"s3": {"bucket": {"name": 7}, "object": {"key": "a"}}, "eventTime": "2026-01-02T03:04:05Z"},
    record(key=None),
    record(key=7),
    record(key=["a"]),
    record(key=""),
    record(time="yesterday"),
    record(time=None),
    record(time="1969-12-31T23:59:59Z"),
    record(time="0001-01-01T00:00:00+14:00"),
    _FOREIGN,
]


@pytest.mark.parametrize("broken", _BROKEN, ids=str)
def test_a_record_that_is_wrong_keeps_no_other_from_being_read(broken: Any) -> None:
    """What is wrong with a record is told in one line in its place; those before and after it are read."""
    found = list(sources({"Records": [record("a", versionId="1"), broken, record("b", versionId="2")]}, "workloads"))
    assert [getattr(source, "key", None) for source in found] == ["a", None, "b"]
    assert re.match(r"This is no record of an S3 event: .* in ", str(found[1]))
    assert len(str(found[1])) < 1_000


@pytest.mark.parametrize("records", [None, "text", 7, {"a": 1}])
def test_an_event_whose_records_are_no_list_is_refused(records: Any) -> None:
    """Lambda is told that the event can't be used, whichever function it was for."""
    for ask in (lambda event: sources(event, "workloads"), lambda event: deliveries(event, 0)):
        with pytest.raises(WireError, match="no event of S3 or SQS"):
            list(ask({"Records": records}))


@pytest.mark.parametrize(("key", "size", "count"), [("in/", 0, 0), ("in/", 8, 1), ("in", 0, 1), ("in%2F", 0, 0)])
def test_a_created_folder_is_no_job(key: str, size: int, count: int) -> None:
    """The empty object by which the console shows a folder is left out; an empty workload, or a full one, is not."""
    assert len(read({"Records": [record(key, versionId="1", size=size)]})) == count


def message(body: Any, **changes: Any) -> dict[str, Any]:
    return {"body": body, "receiptHandle": "r1", "attributes": {"ApproximateReceiveCount": "3"}, **changes}


def test_every_message_is_a_delivery() -> None:
    """A message has its body, its receipt handle, and how often it has been received."""
    found = deliveries({"Records": [message("a"), message("b")]}, now_ms=7)
    assert list(found) == [Delivery("a", "r1", 3, 7), Delivery("b", "r1", 3, 7)]


@pytest.mark.parametrize(
    "broken",
    [{}, None, message("a", attributes={}), {"s3": {}}, message(7), message("a", receiptHandle=None)],
)
def test_other_messages_are_refused(broken: dict[str, Any]) -> None:
    """A record that is none of SQS's is refused with what it said."""
    with pytest.raises(WireError, match=r"no record of an SQS event"):
        list(deliveries({"Records": [broken]}, 0))
