"""A worker that looks after itself: its threads, over a queue in memory and a ledger in SQLite."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from cloudkon import task
from cloudkon.backoff import Backoff
from cloudkon.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.clock import SystemClock
from cloudkon.errors import UnavailableError
from cloudkon.fleet import WorkerState, WorkerStatus
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.registry import Registry
from cloudkon.settings import Settings
from cloudkon.wire import encode_bundle
from ec2_worker.health import SickError
from ec2_worker.worker import Surroundings, Worker
from tests.support.rows import NOW_MS, job, worker_status
from tests.support.waiting import eventually

PLENTY = 10**12


class Outage:
    """A ledger, while it does not answer the workers' own words."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger
        self.on = False

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._ledger, verb)

    def announce(self, status: WorkerStatus) -> None:
        if self.on:
            raise UnavailableError("The ledger is out, as it was told to be.")
        self._ledger.announce(status)


class Ward:
    """One running worker, its disk, and its ledger."""

    def __init__(self, **settings: Any) -> None:
        self.clock = SystemClock()
        self.tasks = MemoryQueue(self.clock)
        self.ledger = SqliteLedger(None, guard_ms=2_000)
        self.outage = Outage(self.ledger)
        self.free_bytes = PLENTY
        self.fails = False
        self.ran: list[str] = []
        self.ended: list[BaseException | None] = []
        self._sent = 0
        spare = [MemoryQueue(self.clock), MemoryQueue(self.clock)]
        ledger: Any = self.outage
        results: Any = None  # no value here is large enough for it
        own = Settings(poll_s=0.05, retries=0, status_s=0.02, **settings)
        around = Surroundings(self.tasks, spare[0], spare[1], ledger, results, self.clock)
        self.worker = Worker(around, Registry([self._handler()]), own, name="w", slots=2)
        self.worker.vitals.every_s = 0.01
        self.worker.vitals.free_disk_bytes = lambda: self.free_bytes
        self.worker.vitals.health.backoff = Backoff(0.01, 0.02)
        self._thread = threading.Thread(target=self._run)

    def _handler(self) -> Callable[[str], None]:
        @task("note")
        def note(line: str) -> None:
            self.ran.append(f"{line} sick" if self.worker.receiver.sick.is_set() else line)
            if self.fails:
                raise ValueError("as it was told to")

        return note

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.drain()
        self._thread.join()
        self.ledger.close()

    def _run(self) -> None:
        try:
            self.worker.run()
            self.ended.append(None)
        except SickError as error:
            self.ended.append(error)

    def send(self) -> str:
        """A bundle of one task; return what it notes."""
        self._sent += 1
        line = str(self._sent)
        key = BundleKey(job().id, 0, self._sent)
        self.tasks.send([encode_bundle(Bundle(key, LineNumbers(((1, 1),)), (f"note {line}",), NOW_MS, NOW_MS))])
        return line

    def row(self) -> WorkerStatus:
        return next(status for status in self.ledger.fleet(0) if status.worker == "w")

    def becomes(self, state: WorkerState) -> bool:
        return bool(eventually(lambda: [s for s in self.ledger.fleet(0) if s.worker == "w" and s.state is state]))

    def does(self, line: str) -> bool:
        return eventually(lambda: line in self.ran)


@pytest.fixture
def ward() -> Iterator[Ward]:
    with Ward(ledger_patience_s=0.01, failing_bundles=2) as ward:
        yield ward


def test_a_worker_lists_itself_while_it_works_and_when_it_stops() -> None:
    """Idle, working and stopped are in its row, with what it has done."""
    with Ward() as ward:
        assert ward.becomes(WorkerState.IDLE)
        for _ in range(3):
            assert ward.does(ward.send())
        assert eventually(lambda: ward.row().tasks == 3)
        assert (ward.row().bundles, ward.row().slots) == (3, 2)
        ward.worker.drain_within(5.0, "stopped by a test")
        assert eventually(lambda: ward.ended)
        assert (ward.row().state, ward.row().reason) == (WorkerState.STOPPED, "stopped by a test")


def test_a_full_disk_stops_the_receiver_until_there_is_room(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    """It says so in its row and once in the log, runs nothing meanwhile, and goes on by itself."""
    ward.free_bytes = 0
    assert ward.becomes(WorkerState.SICK)
    assert "0 MB are free" in ward.row().reason
    line = ward.send()
    seen_ms = ward.row().seen_ms
    assert eventually(lambda: ward.row().seen_ms > seen_ms)
    ward.free_bytes = PLENTY
    assert ward.does(line)
    assert f"{line} sick" not in ward.ran
    assert sum(record.message.startswith("Sick: ") for record in caplog.records) == 1


def test_a_silent_ledger_makes_sick_until_it_answers(ward: Ward) -> None:
    """The row can't say so while the ledger is out; the receiver stops all the same."""
    assert ward.becomes(WorkerState.IDLE)
    ward.outage.on = True
    assert eventually(ward.worker.receiver.sick.is_set)
    line = ward.send()
    ward.outage.on = False
    assert ward.does(line)
    assert f"{line} sick" not in ward.ran


def test_tasks_that_fail_only_here_make_sick(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    """While another worker succeeds with the job, this one tries a bundle now and then, until one succeeds."""
    ward.ledger.announce(worker_status("other", failing={job().id: 0}, seen_ms=ward.clock.now_ms() + 60_000))
    ward.fails = True
    for _ in range(2):
        assert ward.does(ward.send())
    assert eventually(lambda: "Sick: 2 bundles of" in caplog.text)
    ward.fails = False
    assert ward.does(ward.send())
    assert eventually(lambda: ward.row().failing == {job().id: 0})
    assert ward.does(ward.send())


def test_tasks_that_fail_everywhere_are_run(ward: Ward) -> None:
    """Alone with a bad workload, a worker goes through it to its end."""
    ward.fails = True
    for _ in range(5):
        assert ward.does(ward.send())
    assert not ward.worker.receiver.sick.is_set()


def test_who_is_sick_for_too_long_leaves() -> None:
    """The worker ends with an error that has an exit code of its own, so that another machine may take its place."""
    with Ward(sick_exit_s=0.05) as ward:
        ward.free_bytes = 0
        assert eventually(lambda: ward.ended)
        assert "This worker has been sick for too long: 0 MB are free" in str(ward.ended[0])
        assert ward.row().state is WorkerState.STOPPED
        assert ward.row().reason.startswith("sick for too long: 0 MB are free")
