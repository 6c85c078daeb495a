"""Pauses a job of which as many tasks have failed as its workload allows, on all workers together.

    slot: a task has failed --> counted --> with what others reported it is enough --> no task of the job begins here
    tick: such a job is paused in the ledger; what others reported is read again, while tasks of the job fail here

Each worker reports its count with its other counters, every few seconds; so does another worker learn of failures
here, and until it reads that the job is paused it may begin more tasks.
"""

import logging
import threading
from collections import Counter

from cloudkon.backoff import attempt
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ledger.failure_limit import most_failures
from cloudkon.ledger.job import Job
from cloudkon.ports import Ledger
from ec2_worker.pipeline.admission import Admission
from ec2_worker.pipeline.in_flight import InFlight
from ec2_worker.telemetry.job_counters import JobCounters

log = logging.getLogger(__name__)


class FailureLimit:
    """Safe to share between threads; only tick makes calls."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        worker: str,
        admission: Admission,
        in_flight: InFlight,
        job_counters: JobCounters,
        *,
        every_s: float,
        report_s: float,
    ) -> None:
        self.every_s = every_s
        self._ledger = ledger
        self._clock = clock
        self._worker = worker
        self._admission = admission
        self._in_flight = in_flight
        self._job_counters = job_counters
        self._report_s = report_s
        self._lock = threading.Lock()
        self._elsewhere: Counter[str] = Counter()
        """How many tasks of a job have failed on other workers, as far as is known."""
        self._suspects: set[str] = set()
        """Jobs with a limit, of which a task has failed here since others were asked."""
        self._reached: dict[str, str] = {}
        """Jobs that are to be paused, with the reasons."""
        self._next_look_s = clock.monotonic_s()

    def task_failed(self, job_id: str) -> None:
        """Count a task that will not be tried again; a slot tells it, so nothing is asked of anybody."""
        failed = self._job_counters.task_failed(job_id)
        job = self._admission.seen(job_id)
        if job is None or most_failures(job) is None:
            return
        with self._lock:
            self._suspects.add(job_id)
        self._judge(job, failed)

    def tick(self) -> None:
        """Pause the jobs that have reached their limits, and ask for what others have counted."""
        for job_id, reason in list(self._reached.items()):
            attempt(lambda job_id=job_id, reason=reason: self._pause(job_id, reason), job_id)  # type: ignore[misc]
        now_s = self._clock.monotonic_s()
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + self._report_s
        with self._lock:
            suspects, self._suspects = self._suspects, set()
        for job_id in suspects:
            try:
                self._ask_others(job_id)
            except CloudKonError as error:
                log.warning("%s What others have counted of %s is asked again.", error, job_id)
                with self._lock:
                    self._suspects.add(job_id)

    def _ask_others(self, job_id: str) -> None:
        others = sum(report.failed for report in self._ledger.workers(job_id) if report.worker != self._worker)
        self._elsewhere[job_id] = others
        job = self._admission.job(job_id)
        if job is not None:
            self._judge(job, self._job_counters.failed_of(job_id))

    def _judge(self, job: Job, failed_here: int) -> None:
        most = most_failures(job)
        failed = failed_here + self._elsewhere[job.id]
        if most is None or failed < most or job.paused_ms is not None or job.id in self._admission.halted:
            return
        self._reached[job.id] = f"max_fails={job.max_fails}: {failed:,} of its tasks have failed"
        self._admission.halted.add(job.id)
        self._in_flight.stop_job(job.id)

    def _pause(self, job_id: str, reason: str) -> None:
        self._ledger.pause(job_id, reason, self._clock.now_ms())
        self._admission.forget(job_id)
        log.error("%s is paused: %s", job_id, reason)
        del self._reached[job_id]
