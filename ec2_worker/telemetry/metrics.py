"""A worker's metrics: counted as its bundles are completed, written about once a minute."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.results import TaskState
from cloudkon.reports.phases import queue_ms, run_ms
from cloudkon.telemetry.emf import MetricLog, representative_values
from cloudkon.telemetry.histogram import Histogram

_COUNTED = {
    TaskState.SUCCEEDED: "TasksSucceeded",
    TaskState.FAILED: "TasksFailed",
    TaskState.REJECTED: "TasksRejected",
}
_COUNTS = (*_COUNTED.values(), "TaskRepeats", "LeasesLost")


@dataclass(slots=True)
class Metrics:
    """Does nothing without a log. Each line holds the counts since the line before: sums over any time are right."""

    log: MetricLog | None
    clock: Clock
    worker: str
    slots: int
    every_s: float
    busy: Callable[[], int]
    is_sick: Callable[[], bool]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counts: Counter[str] = field(default_factory=Counter)
    _run: Histogram = field(default_factory=Histogram)
    _queue: Histogram = field(default_factory=Histogram)
    _samples: list[int] = field(default_factory=list)
    _written_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._written_s = self.clock.monotonic_s()

    def completed(self, row: BundleRow) -> None:
        """Count the results of a bundle; those of earlier attempts too, for only who completes it counts them."""
        if self.log is None:
            return
        final = [result for result in row.results if result is not None]
        own = sum(result.attempt == row.attempt for result in final)
        with self._lock:
            for result in final:
                self._counts[_COUNTED[result.state]] += 1
                self._counts["TaskRepeats"] += result.runs - 1
            self._run.add_all(run_ms(r) for r in final if r.state is not TaskState.REJECTED)
            if own:
                self._queue.add(queue_ms(row), own)

    def lost_lease(self) -> None:
        with self._lock:
            self._counts["LeasesLost"] += 1

    def tick(self) -> None:
        """Note how many slots are busy; write when it is time."""
        if self.log is None:
            return
        self._samples.append(self.busy())
        if self.clock.monotonic_s() - self._written_s >= self.every_s:
            self.flush()

    def flush(self) -> None:
        """Write what there is since the last time."""
        if self.log is None:
            return
        with self._lock:
            counts, self._counts = self._counts, Counter()
            run, self._run = self._run, Histogram()
            queue, self._queue = self._queue, Histogram()
        samples, self._samples = self._samples or [self.busy()], []
        self._written_s = self.clock.monotonic_s()
        self.log.write(
            {name: counts[name] for name in _COUNTS}
            | {
                "TaskRunMilliseconds": representative_values(run),
                "TaskQueueMilliseconds": representative_values(queue),
                "Slots": self.slots,
                "SlotsBusy": round(sum(samples) / len(samples), 3),
                "WorkersSick": int(self.is_sick()),
            },
            Worker=self.worker,
        )
