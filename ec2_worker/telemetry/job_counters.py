"""Writes down what the worker did for each job: counters that no bundle's row can hold."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.ledger.fleet import Instance
from cloudkon.ledger.job import WorkerReport
from cloudkon.ports import Jobs
from cloudkon.telemetry.metering import Meter
from ec2_worker.telemetry.slot_times import SlotTimes
from ec2_worker.telemetry.task_times import LearntTimes


@dataclass(slots=True)
class _Counters:
    bundles: int = 0
    duplicates_dropped: int = 0
    leases_lost: int = 0
    unrecorded_runs: int = 0
    failed: int = 0
    api_calls: Counter[str] = field(default_factory=Counter)


class JobCounters:
    """Counts by job; a flush writes the rows of the jobs that have changed."""

    def __init__(self, jobs: Jobs, worker: str, slots: int, meter: Meter, clock: Clock) -> None:
        self._jobs = jobs
        self._worker = worker
        self._slots = slots
        self._meter = meter
        self._clock = clock
        self._lock = threading.Lock()
        self._counters: dict[str, _Counters] = {}
        self._fresh: Counter[str] = Counter()
        self._shared: Mapping[str, int] = {}
        self.slot_times = SlotTimes(clock)
        self.learnt_times = LearntTimes(jobs, clock)
        self.instance: Callable[[], Instance | None] = lambda: None
        """Where the worker runs, as soon as it is known."""
        self._started_ms = clock.now_ms()
        self.flushed_s = clock.monotonic_s()

    def claimed(self, job: str) -> None:
        self._count(job)

    def dropped_duplicate(self, job: str) -> None:
        self._count(job).duplicates_dropped += 1

    def lost_lease(self, job: str, unrecorded_runs: int) -> None:
        counters = self._count(job)
        counters.leases_lost += 1
        counters.unrecorded_runs += unrecorded_runs

    def task_failed(self, job: str) -> int:
        """Count a task that is not tried again; return how many that makes."""
        counters = self._count(job)
        counters.failed += 1
        return counters.failed

    def failed_of(self, job: str) -> int:
        counters = self._counters.get(job)
        return 0 if counters is None else counters.failed

    def settled(self, job: str) -> None:
        self._count(job).bundles += 1

    def _count(self, job: str) -> _Counters:
        with self._lock:
            self._fresh[job] += 1
            return self._counters.setdefault(job, _Counters())

    @property
    def changed(self) -> bool:
        """Whether a flush would write anything."""
        return bool(self._fresh)

    def flush(self) -> None:
        """Write the changed rows; raises UnavailableError, after which the next flush writes them."""
        with self._lock:
            fresh, self._fresh = self._fresh, Counter()
            self._share_calls(fresh)
            reports = [self._report(job) for job in fresh]
        self.flushed_s = self._clock.monotonic_s()
        self.learnt_times.flush()
        try:
            for report in reports:
                self._jobs.report_worker(report)
        except Exception:
            with self._lock:
                self._fresh.update(dict.fromkeys(fresh, 0))
            raise

    def _share_calls(self, fresh: Counter[str]) -> None:
        """Split the calls since the last flush among the jobs served since, by what each had of the worker's events.

        Most calls serve messages of several jobs at once, so no call has a job of its own.
        """
        totals = self._meter.totals()
        calls = Counter(totals) - Counter(self._shared)
        self._shared = totals
        left, events = calls, fresh.total()
        for job, share in fresh.most_common()[::-1]:
            part = left if events == share else Counter({name: n * share // events for name, n in left.items()})
            self._counters[job].api_calls += part
            left, events = left - part, events - share

    def _report(self, job: str) -> WorkerReport:
        counters = self._counters[job]
        return WorkerReport(
            job=job,
            worker=self._worker,
            slots=self._slots,
            started_ms=self._started_ms,
            seen_ms=self._clock.now_ms(),
            duplicates_dropped=counters.duplicates_dropped,
            leases_lost=counters.leases_lost,
            unrecorded_runs=counters.unrecorded_runs,
            api_calls=dict(counters.api_calls),
            waited_ms=round(1000 * self.slot_times.of(job).waited_s(self._slots)),
            instance=self.instance(),
            failed=counters.failed,
        )
