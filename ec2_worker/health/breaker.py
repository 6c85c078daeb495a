"""Pauses a job whose first tasks all fail: what is wrong with them is probably wrong with the rest."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.results import Results, TaskState
from cloudkon.ports import Ledger

log = logging.getLogger(__name__)

_MOST_SAID = 200


@dataclass(slots=True)
class Streaks:
    """Counts, by job, how many tasks this worker has seen to their end before the first success."""

    tasks: int
    """At how many without a success a streak is over; 0: never."""
    failed: Counter[str] = field(default_factory=Counter)
    settled: set[str] = field(default_factory=set)
    """The jobs that are not counted any more: one of their tasks succeeded, or somebody has decided."""

    def completed(self, row: BundleRow) -> bool:
        """Take in a bundle that is done; True while its job's first tasks, so many of them, have all failed."""
        job = row.key.job
        if not self.tasks or job in self.settled:
            return False
        ended = [result for result in row.results if result is not None]
        if any(result.state is TaskState.SUCCEEDED for result in ended):
            self.settle(job)
            return False
        self.failed[job] += len(ended)
        return self.failed[job] >= self.tasks

    def settle(self, job: str) -> None:
        self.settled.add(job)
        del self.failed[job]


class Breaker:
    """Hears of every bundle that is completed, from any thread; no failure of its own may harm the bundle."""

    def __init__(self, ledger: Ledger, clock: Clock, tasks: int, paused: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._streaks = Streaks(tasks)
        self._paused = paused
        self._lock = threading.Lock()

    def completed(self, row: BundleRow) -> None:
        with self._lock:
            if not self._streaks.completed(row):
                return
            try:
                self._decide(row)
            except CloudKonError as error:
                log.warning("%s The job %s should be paused; trying again with its next bundle.", error, row.key.job)

    def _decide(self, row: BundleRow) -> None:
        job = self._ledger.job(row.key.job)
        # Whoever resumed the job knows; and where others succeed, it is this worker that is sick.
        if job is not None and job.resumed_ms is None and not self._succeeded_elsewhere(job):
            reason = _reason(self._streaks.failed[job.id], row)
            self._ledger.pause(job.id, reason, self._clock.now_ms())
            self._paused(job.id)
            log.error("%s is paused: %s", job.id, reason)
        self._streaks.settle(row.key.job)

    def _succeeded_elsewhere(self, job: Job) -> bool:
        return any(
            result is not None and result.state is TaskState.SUCCEEDED
            for row in self._ledger.bundles(job)
            for result in row.results
        )


def _reason(failed: int, row: BundleRow) -> str:
    return (
        f"the first {failed:,} tasks all failed{_last_said(row.results)}; go on with: cloudkon-cli resume {row.key.job}"
    )


def _last_said(results: Results) -> str:
    said = next((result.error for result in reversed(results) if result is not None and result.error), None)
    return f", the last one with {' '.join(said.split())[:_MOST_SAID]}" if said else ""
