"""How a large workload is spread over invocations, message by message."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloudkon.backoff import Backoff
from cloudkon.errors import CloudKonError, NotFoundError, UnavailableError, WireError
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.job import RANGE_BYTES, RangeKey, Source
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.local.store import FolderStore
from cloudkon.messages.wire import decode_bundle, decode_range, encode_bundle, encode_range
from cloudkon.ports import Delivery
from cloudkon.workload.line_numbers import LineOffsets
from dispatcher.dispatch import Dispatcher
from dispatcher.ingest import Ingester
from tests.support.manual_clock import ManualClock

VISIBILITY_S = 5400.0
COMMENTS_A_RANGE = 47
RANGES = 3
TASKS = 3 * RANGES


class Refusing(MemoryQueue):
    """Refuses the first message of its first batch."""

    refused = False

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        if self.refused or not bodies:
            return super().send(bodies)
        self.refused = True
        super().send(bodies[1:])
        return [0]


@dataclass
class Desk:
    """A stage in memory, with a workload of one range and one of three."""

    folder: Path

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.ledger = SqliteLedger(None, guard_ms=2_000)
        self.tasks, self.ranges = MemoryQueue(self.clock), Refusing(self.clock)
        stores = FolderStore(self.folder), FolderStore(self.folder / "results")
        self.dispatcher = Dispatcher(*stores, self.ledger, self.tasks, self.clock)
        self.ingester = Ingester(
            self.dispatcher, self.ledger, self.ranges, "workloads", Backoff(30, 900, lambda _, bound_s: bound_s)
        )

    def source(self, key: str) -> Source:
        return Source("workloads", key, "v1", 1_750_000_000_000, pinned=False)

    def delivery(self) -> Delivery:
        """The next message on the queue of ranges, which has to have one."""
        (delivery,) = self.ranges.receive(1, 0, VISIBILITY_S)
        return delivery

    def deliveries(self) -> list[Delivery]:
        return list(self.ranges.receive(10, 0, VISIBILITY_S))

    def sent(self) -> list[Bundle]:
        """The bundles on the task queue, in the order of the workload."""
        found = []
        while deliveries := self.tasks.receive(10, 0, VISIBILITY_S):
            found += [decode_bundle(delivery.body) for delivery in deliveries]
        return sorted(found, key=lambda bundle: bundle.key)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workloads")
    (folder / "small.txt").write_text("sleep 0\n" * TASKS, encoding="utf-8")
    with (folder / "large.txt").open("w", encoding="utf-8") as file:
        for number in range(RANGES):
            file.writelines(f"sleep 0.{number}{task}\n" for task in range(TASKS // RANGES))
            file.writelines("#" * 180_000 + "\n" for _ in range(COMMENTS_A_RANGE if number < RANGES - 1 else 0))
    assert (RANGES - 1) * RANGE_BYTES < (folder / "large.txt").stat().st_size < RANGES * RANGE_BYTES
    return folder


@pytest.fixture
def desk(folder: Path) -> Desk:
    return Desk(folder)


def test_one_range_is_dispatched_at_once(desk: Desk) -> None:
    """A workload of one range takes no detour."""
    job = desk.ingester.ingest(desk.source("small.txt"))
    assert desk.dispatcher.missing(job) == []
    assert desk.ranges.depth().visible == 0
    assert sum(len(bundle.tasks) for bundle in desk.sent()) == TASKS


def test_a_large_archive_is_refused_as_a_whole(tmp_path: Path) -> None:
    """What its first bytes show to be no workload is one rejected line, however many ranges it would have."""
    (tmp_path / "tasks.txt").write_bytes(b"PK\x03\x04\x0a\0\0\0\n" + b"sleep 0\n" * (2 * RANGE_BYTES // 8))
    desk = Desk(tmp_path)
    job = desk.ingester.ingest(desk.source("tasks.txt"))
    (report,) = desk.ledger.dispatched(job.id)
    assert (job.ranges, report.tasks, report.rejected, report.lines) == (1, 0, 1, 1)
    assert desk.sent() == []


def test_each_range_of_many_is_a_message(desk: Desk) -> None:
    """A larger workload becomes a message a range, the refused ones sent again, and nothing is dispatched yet."""
    job = desk.ingester.ingest(desk.source("large.txt"))
    keys = {decode_range(delivery.body) for delivery in desk.deliveries()}
    assert keys == {RangeKey(job.id, number) for number in range(RANGES)}
    assert desk.ranges.refused
    assert (desk.dispatcher.missing(job), desk.tasks.depth().visible) == ([0, 1, 2], 0)


def test_many_invocations_send_what_one_would(desk: Desk) -> None:
    """Ranges dispatched in any order are the bundles, and the line numbers, of a dispatch one after the other."""
    job = desk.ingester.ingest(desk.source("large.txt"))
    for delivery in reversed(desk.deliveries()):
        desk.ingester.dispatch_message(delivery)
    spread = desk.sent()
    desk.dispatcher.dispatch(job, resend=True)
    assert spread == desk.sent()
    before = LineOffsets(desk.ledger.dispatched(job.id)).before
    lines = [line + (before(bundle.key.range) or 0) for bundle in spread for line in bundle.lines]
    first = [1 + number * (TASKS // RANGES + COMMENTS_A_RANGE) for number in range(RANGES)]
    assert lines == [begin + task for begin in first for task in range(TASKS // RANGES)]


def test_a_second_event_sends_what_is_missing(desk: Desk) -> None:
    """An event that comes again sends the ranges that have no row, and only those."""
    job = desk.ingester.ingest(desk.source("large.txt"))
    desk.ingester.dispatch_message(Delivery(encode_range(RangeKey(job.id, 1)), "", 1, 0))
    desk.deliveries()
    desk.ingester.ingest(desk.source("large.txt"))
    assert sorted(decode_range(delivery.body).number for delivery in desk.deliveries()) == [0, 2]


def test_a_message_that_comes_twice_dispatches_once(desk: Desk) -> None:
    """The copy of a message finds the range's row, and sends nothing."""
    desk.ingester.ingest(desk.source("large.txt"))
    delivery = desk.delivery()
    assert desk.ingester.dispatch_message(delivery) == decode_range(delivery.body)
    assert len(desk.sent()) > 0
    desk.ingester.dispatch_message(delivery)
    assert desk.sent() == []


def test_what_fails_comes_again_after_a_wait_that_doubles(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A range whose dispatch failed waits 30 s, then 60, and not for its visibility to end."""
    job = desk.ingester.ingest(desk.source("large.txt"))
    desk.deliveries()
    desk.ranges.send([encode_range(RangeKey(job.id, 0))])
    with monkeypatch.context() as patch:
        patch.setattr(desk.ledger, "record_range", _unavailable)
        for wait_s in (30, 60):
            delivery = desk.delivery()
            with pytest.raises(UnavailableError, match="the table does not answer"):
                desk.ingester.dispatch_message(delivery)
            desk.clock.advance(wait_s - 1)
            assert desk.deliveries() == []
            desk.clock.advance(1)
    desk.ingester.dispatch_message(desk.delivery())
    assert desk.dispatcher.missing(job) == [1, 2]


def test_the_first_failure_is_the_one_that_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the queue can't be told to wait either, what had failed before is raised."""
    monkeypatch.setattr(desk.ranges, "hide", _unavailable)
    with pytest.raises(WireError):
        desk.ingester.dispatch_message(Delivery("{", "1-1", 1, 0))


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        ("range 1, please", WireError, "is not JSON"),
        ('{"v":2,"job":"j","dispatch":0}', WireError, "no range of version 1"),
        ('{"v":1,"job":"j"}', WireError, "names no range: 'dispatch'"),
        ('{"v":1,"job":"j","dispatch":-1}', WireError, "names no range: -1 is not a whole number"),
        ('{"v":1,"job":"j","dispatch":0}', NotFoundError, r"no job j in the ledger \(any more\)"),
        (encode_range(RangeKey("{large}", RANGES)), WireError, "There is no range 3 of large-.*: it has 3 ranges"),
    ],
)
def test_what_names_no_range_is_refused(desk: Desk, body: str, error: type[Exception], says: str) -> None:
    """A message that names no range of a job is refused with the reason, for redrive to move away."""
    job = desk.ingester.ingest(desk.source("large.txt"))
    with pytest.raises(error, match=says):
        desk.ingester.dispatch_message(Delivery(body.replace("{large}", job.id), "", 1, 0))


def test_a_bundle_is_no_range(desk: Desk) -> None:
    """A bundle that somebody put on the queue of ranges is refused: dispatching its range would lose it."""
    desk.ingester.ingest(desk.source("small.txt"))
    with pytest.raises(WireError, match="names no range"):
        desk.ingester.dispatch_message(Delivery(encode_bundle(desk.sent()[0]), "", 1, 0))


def test_a_range_is_read_as_it_was_written() -> None:
    """A message names its range exactly."""
    key = RangeKey("large-abcdefghijkl", 655_359)
    assert decode_range(encode_range(key)) == key


def test_no_time_is_left(desk: Desk) -> None:
    """A dispatch that would outlast its Lambda says so in time, and writes no row: it is not done."""
    job = desk.ingester.ingest(desk.source("large.txt"))
    until_ms = desk.clock.now_ms()
    with pytest.raises(CloudKonError, match=rf"Not dispatched in the time .*: range \d of {job.id}\. Larger bundles"):
        desk.ingester.dispatch_message(desk.delivery(), until_ms)
    assert desk.dispatcher.missing(job) == [0, 1, 2]


def test_a_gzipped_workload_has_to_be_unpacked(tmp_path: Path) -> None:
    """What can't be cut, and takes too long, comes with the advice to drop it unpacked or in parts."""
    desk = Desk(tmp_path)
    (tmp_path / "tasks.txt.gz").write_bytes(gzip.compress(b"sleep 0\n"))
    with pytest.raises(CloudKonError, match="gzipped workload can't be cut into ranges: drop it as it is unpacked"):
        desk.ingester.ingest(desk.source("tasks.txt.gz"), desk.clock.now_ms())
    desk.ingester.ingest(desk.source("tasks.txt.gz"), desk.clock.now_ms() + 1)
    assert len(desk.sent()) == 1


def _unavailable(*_: object) -> None:
    raise UnavailableError("the table does not answer")


def s3_record(key: str) -> dict[str, object]:
    found = {"key": key, "sequencer": "1"}
    return {"eventTime": "2026-01-02T03:04:05Z", "s3": {"bucket": {"name": "workloads"}, "object": found}}


def test_a_bad_record_and_a_lost_workload_keep_no_later_one_from_being_dispatched(desk: Desk) -> None:
    """Each record of an event has its turn; the first error is raised when all had theirs."""
    event = {"Records": [{}, s3_record("gone.txt"), s3_record("small.txt")]}
    jobs = desk.ingester.ingest_event(event)
    assert next(jobs).source.key == "small.txt"
    with pytest.raises(WireError, match="no record of an S3 event"):
        next(jobs)
    assert desk.sent()
