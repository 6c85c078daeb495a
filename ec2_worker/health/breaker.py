"""Pauses a job whose first tasks all fail: what is wrong with them is probably wrong with the rest."""

import logging
import threading
from collections import Counter
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import Results, TaskState
from cloudkon.ports import Ledger
from ec2_worker.pipeline.admission import Admission

log = logging.getLogger(__name__)

_MOST_CHARACTERS = 200


@dataclass(slots=True)
class FirstFailures:
    """Counts, for each job, how many tasks ended on this worker before the first success."""

    tasks: int
    """At how many failures a job is to be paused; 0: never."""
    failed: Counter[str] = field(default_factory=Counter)
    settled: set[str] = field(default_factory=set)
    """The jobs that are not counted any more: one of their tasks succeeded, or somebody has decided."""

    def completed(self, row: BundleRow) -> bool:
        """Count a completed bundle; True while its job has so many tasks that ended, and none that succeeded."""
        job = row.key.job
        if not self.tasks or job in self.settled:
            return False
        if isinstance(row.results, ResultColumns) and row.results.plain:
            self.settle(job)
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
    """Told of every completed bundle, from any thread. A failure of its own does not harm the bundle."""

    def __init__(self, ledger: Ledger, clock: Clock, tasks: int, admission: Admission) -> None:
        self._ledger = ledger
        self._clock = clock
        self._first_failures = FirstFailures(tasks)
        self._admission = admission
        self._lock = threading.Lock()

    def completed(self, row: BundleRow) -> None:
        with self._lock:
            if not self._first_failures.completed(row):
                return
            try:
                self._decide(row)
            except CloudKonError as error:
                log.warning("%s The job %s should be paused; trying again with its next bundle.", error, row.key.job)

    def _decide(self, row: BundleRow) -> None:
        job = self._ledger.job(row.key.job)
        # Whoever resumed the job knows; and where others succeed, it is this worker that is sick.
        if job is not None and job.resumed_ms is None and not self._succeeded_elsewhere(job):
            reason = _reason(self._first_failures.failed[job.id], row)
            self._ledger.pause(job.id, reason, self._clock.now_ms())
            self._admission.forget(job.id)
            log.error("%s is paused: %s", job.id, reason)
        self._first_failures.settle(row.key.job)

    def _succeeded_elsewhere(self, job: Job) -> bool:
        return any(
            result is not None and result.state is TaskState.SUCCEEDED
            for row in self._ledger.bundles(job)
            for result in row.results
        )


def _reason(failed: int, row: BundleRow) -> str:
    go_on = f"go on with: cloudkon-cli resume {row.key.job}"
    return f"the first {failed:,} tasks all failed{_last_error(row.results)}; {go_on}"


def _last_error(results: Results) -> str:
    error = next((result.error for result in reversed(results) if result is not None and result.error), None)
    return f", the last one with {' '.join(error.split())[:_MOST_CHARACTERS]}" if error else ""
