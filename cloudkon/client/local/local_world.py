"""What a stage has in AWS, within one process: the queues, the ledger, and a folder for results."""

from collections.abc import Collection, Sequence

from cloudkon.clock import Clock
from cloudkon.ledger.job import Job, RangeReport
from cloudkon.local.bounded import BoundedQueue
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.local.store import FolderStore
from cloudkon.messages.finished import FinishedBundle, FinishedBundles, FinishedTasks, RecordsOnQueue, RowsInMemory
from cloudkon.messages.wire import decode_undecodable
from cloudkon.ports import MAX_BATCH_MESSAGES, LedgerReader, Tracer
from cloudkon.telemetry.tracing import NoTracer
from cloudkon.workload.line_numbers import LineOffsets
from ec2_worker.services import Services

_QUEUE_MESSAGES = 256
"""Bundles in memory ahead of the worker: a few megabytes at the most usual sizes."""
_PROCESS_VISIBILITY_S = 60.0


class LocalWorld:
    """Safe to share between threads; close it when no worker uses it any more."""

    def __init__(
        self,
        ledger: SqliteLedger,
        results: FolderStore,
        clock: Clock,
        tracer: Tracer | None = None,
        *,
        tells_rows: bool = False,
    ) -> None:
        """Tells_rows: the workers are in this process, and hand over rows in place of completion records."""
        self.ledger = ledger
        self.results = results
        self.clock = clock
        self.tracer = tracer or NoTracer()
        self.waiting = MemoryQueue(clock)
        """All bundles that are not done."""
        self.tasks = BoundedQueue(self.waiting, _QUEUE_MESSAGES)
        self._process = MemoryQueue(clock)
        self._rows = RowsInMemory() if tells_rows else None
        self.ended: FinishedBundles = self._rows or RecordsOnQueue(self._process)
        self._dead_letters = MemoryQueue(clock)
        self.set_aside: dict[str, str] = {}
        """Messages that no worker could use, with the reasons."""

    def services(self) -> Services:
        """What a worker uses."""
        return Services(
            self.tasks,
            self._process,
            self._dead_letters,
            self.ledger,
            self.results,
            self.clock,
            tracer=self.tracer,
            completions=self._rows,
        )

    def read_records(self) -> None:
        """Learn of bundles by their completion records from now on: the workers are in other processes."""
        self.ended = RecordsOnQueue(self._process)

    def look_aside(self) -> int:
        """Collect the messages that no worker could use; return how many there are. Nobody waits for their bundles."""
        while letters := self._dead_letters.receive(MAX_BATCH_MESSAGES, 0.0, _PROCESS_VISIBILITY_S):
            for letter in letters:
                reason, body = decode_undecodable(letter.body) or ("It is too long.", letter.body)
                self.set_aside[body] = reason
            self._dead_letters.delete([letter.receipt for letter in letters])
        return len(self.set_aside)

    def close(self) -> None:
        self.tracer.close()
        self.ledger.close()


class CompletedBundles:
    """Which bundles of a job are known to be done, each counted once."""

    def __init__(self, ledger: LedgerReader, job: Job, done: Collection[str] = ()) -> None:
        self._ledger = ledger
        self._job = job
        self._seen = set(done)
        self._reports: Sequence[RangeReport] = ()

    def add(self, bundle: FinishedBundle) -> FinishedTasks | None:
        """The tasks of the bundle, by the lines of the whole workload; None if it was counted before."""
        if bundle.id in self._seen:
            return None
        self._seen.add(bundle.id)
        while bundle.range > len(self._reports):  # ranges are dispatched in order, each row after its range
            self._reports = self._ledger.dispatched(self._job.id)
        return bundle.tasks(LineOffsets(self._reports).before(bundle.range) or 0)

    def are_all(self, set_aside: int = 0) -> bool:
        """Whether every range is dispatched, and every bundle but those set aside is done."""
        if len(self._reports) < self._job.ranges:
            self._reports = self._ledger.dispatched(self._job.id)
            if len(self._reports) < self._job.ranges:
                return False
        return len(self._seen) + set_aside >= sum(report.bundles for report in self._reports)
