"""What became of a job, worked out from the ledger's rows, a row at a time: memory does not grow with the tasks.

Once every task has its result and every bundle is done, no row of theirs changes any more, and the answer stays the
same; only what workers report of themselves (duplicates, unrecorded runs, calls) settles a few seconds later.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cloudkon.ledger.job import LOCAL_BUCKET, Job, JobState, RangeReport, WorkerReport
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ports import LedgerReader
from cloudkon.reports.handler_phases import HandlerPhase
from cloudkon.reports.known_bundles import known_bundles
from cloudkon.reports.phases import Percentiles
from cloudkon.reports.totals import JobTotals


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """Every task and every rejected line is in total and in one of the others."""

    total: int
    succeeded: int
    failed: int
    rejected: int
    """Rejected by the dispatcher, which can't read the line, or by a worker that has no handler for the task."""
    running: int
    """Without a result, in a bundle that a worker holds."""
    pending: int

    @property
    def ended(self) -> int:
        return self.succeeded + self.failed + self.rejected


@dataclass(frozen=True, slots=True)
class BundleCounts:
    """The bundles that are known so far."""

    total: int
    done: int
    leased: int
    released: int


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """What one worker did for the job; slots is None for a worker that never reported."""

    id: str
    slots: int | None
    tasks: int
    busy_s: float
    waited_s: float = 0.0
    """How much of that its slots waited for Python's interpreter, which runs one thread at a time."""


@dataclass(frozen=True, slots=True)
class JobStats:
    """A job's statistics, as `stats --json` shows them."""

    job: Job
    state: JobState
    tasks: TaskCounts
    bundles: BundleCounts
    executions: int
    """How many runs of tasks there were, repeats included."""
    unrecorded_runs: int
    duplicates_dropped: int
    makespan_s: float
    """From the S3 event to the last record; so far, while the job runs."""
    throughput_tasks_s: float
    efficiency: float | None
    """The share of the slots' time that ran tasks, less what they waited for the interpreter; None if not known."""
    phases: Mapping[str, Percentiles]
    handler_phases: Mapping[str, HandlerPhase]
    """The phases that handlers tell apart, within the phase run."""
    workers: Sequence[WorkerShare]
    api_calls: Mapping[str, int]
    taken_over: int = 0
    """Bundles that one worker began and another went on with: the first died, or gave them back."""

    @property
    def ended(self) -> bool:
        return self.state in (JobState.COMPLETE, JobState.CANCELLED)

    @property
    def interpreter_wait(self) -> float:
        """The share of the tasks' time in which their slots waited for the interpreter."""
        busy_s = sum(worker.busy_s for worker in self.workers)
        return sum(worker.waited_s for worker in self.workers) / busy_s if busy_s else 0.0

    @property
    def paused(self) -> str | None:
        """Why the job is paused; None if it goes on, or has ended."""
        return None if self.ended else self.job.pause_reason

    def as_json(self) -> dict[str, Any]:
        return {
            "job": self.job.id,
            "state": self.state.value,
            "paused": self.paused,
            "source": asdict(self.job.source),
            "tasks": asdict(self.tasks),
            "bundles": asdict(self.bundles),
            "executions": self.executions,
            "unrecorded_runs": self.unrecorded_runs,
            "duplicates_dropped": self.duplicates_dropped,
            "makespan_s": round(self.makespan_s, 3),
            "throughput_tasks_s": round(self.throughput_tasks_s, 3),
            "efficiency": None if self.efficiency is None else round(self.efficiency, 4),
            "stages": {name: phase.as_json() for name, phase in self.phases.items()},
            "handler_stages": {name: phase.as_json() for name, phase in self.handler_phases.items()},
            "workers": [
                asdict(worker) | {"busy_s": round(worker.busy_s, 3), "waited_s": round(worker.waited_s, 3)}
                for worker in self.workers
            ],
            "api_calls": dict(self.api_calls),
            "bundles_taken_over": self.taken_over,
        }


@dataclass(frozen=True, slots=True)
class JobReading:
    """What one reading of a job's rows found: the statistics, and what they were worked out from."""

    stats: JobStats
    totals: JobTotals
    ranges: Sequence[RangeReport]
    workers: Sequence[WorkerReport]

    def slots_of(self, worker: str) -> int:
        """The slots of a worker; one that died before its first report is taken to have had as many as others."""
        slots = {report.worker: report.slots for report in self.workers}
        return slots.get(worker) or max([1, *slots.values()])


def read_job(reader: LedgerReader, job: Job, now_ms: int, *observers: Callable[[BundleRow], None]) -> JobReading:
    """Read a job's rows, each once, and work out its statistics; whoever else needs the bundles' rows is shown them."""
    ranges = reader.dispatched(job.id)  # before the bundles: who sees the last range sees all that it sent
    totals = JobTotals()
    for row in known_bundles(reader, job, ranges):
        totals.add(row)
        for observe in observers:
            observe(row)
    workers = reader.workers(job.id)
    return JobReading(_assembled(job, ranges, totals, workers, now_ms), totals, ranges, workers)


def job_stats(reader: LedgerReader, job: Job, now_ms: int) -> JobStats:
    """Read a job's rows and work out its statistics."""
    return read_job(reader, job, now_ms).stats


def _assembled(
    job: Job, reports: Sequence[RangeReport], totals: JobTotals, workers: Sequence[WorkerReport], now_ms: int
) -> JobStats:
    tasks = _task_counts(job, reports, totals)
    bundles = _bundle_counts(reports, totals)
    state = _state(job, reports, tasks, bundles)
    rest_ms = _rest_ms(job, totals)
    makespan_s = max(0, _end_ms(job, state, reports, totals, now_ms) - job.source.event_ms - rest_ms) / 1000
    shares = _shares(totals, workers)
    unrecorded_runs = sum(worker.unrecorded_runs for worker in workers)
    return JobStats(
        job=job,
        state=state,
        tasks=tasks,
        bundles=bundles,
        executions=totals.runs + unrecorded_runs,
        unrecorded_runs=unrecorded_runs,
        duplicates_dropped=sum(worker.duplicates_dropped for worker in workers),
        makespan_s=makespan_s,
        throughput_tasks_s=totals.results / makespan_s if makespan_s else 0.0,
        efficiency=_efficiency(shares, _active_s(totals) if rest_ms else {}, makespan_s, job.task_slots or 1),
        phases=totals.phases.percentiles(),
        handler_phases=totals.handler_phases.by_cost(),
        workers=shares,
        api_calls=_api_calls([*reports, *workers]),
        taken_over=totals.taken_over,
    )


def _task_counts(job: Job, reports: Sequence[RangeReport], totals: JobTotals) -> TaskCounts:
    reported = {report.range for report in reports}
    unreported = sum(tasks for range_, tasks in totals.tasks_by_range.items() if range_ not in reported)
    refused = sum(report.rejected for report in reports)
    total = sum(report.tasks for report in reports) + unreported + refused
    if len(reports) < job.ranges:
        total = max(total, job.tasks_estimate)
    rejected = totals.rejected + refused
    pending = max(0, total - totals.succeeded - totals.failed - rejected - totals.running)
    return TaskCounts(total, totals.succeeded, totals.failed, rejected, totals.running, pending)


def _bundle_counts(reports: Sequence[RangeReport], totals: JobTotals) -> BundleCounts:
    sent = sum(report.bundles for report in reports)
    done, leased, released = (totals.bundles[state] for state in (BundleState.DONE, *_UNFINISHED))
    return BundleCounts(max(sent, done + leased + released), done, leased, released)


_UNFINISHED = (BundleState.LEASED, BundleState.RELEASED)


def _state(job: Job, reports: Sequence[RangeReport], tasks: TaskCounts, bundles: BundleCounts) -> JobState:
    if job.cancelled_ms is not None:
        return JobState.CANCELLED
    if len(reports) < job.ranges:
        return JobState.DISPATCHING
    # A bundle whose every result is checkpointed may still be claimed again; once done, it is so for good.
    if tasks.running or tasks.pending or bundles.done < bundles.total:
        return JobState.RUNNING
    return JobState.COMPLETE


def _end_ms(job: Job, state: JobState, reports: Sequence[RangeReport], totals: JobTotals, now_ms: int) -> int:
    """When the job ended; a job without any result ended when it was dispatched."""
    if state is JobState.COMPLETE:
        return totals.last_ms or max((report.ended_ms for report in reports), default=job.source.event_ms)
    if state is JobState.CANCELLED:
        return max(totals.last_ms, job.cancelled_ms or 0)
    return now_ms


def _rest_ms(job: Job, totals: JobTotals) -> int:
    """How long nobody ran a LOCAL job, between a run that was stopped and the one that went on with it."""
    if job.source.bucket != LOCAL_BUCKET:
        return 0
    rest_ms, until_ms = 0, 0
    for since, until in sorted(totals.active_ms.values()):
        if until_ms:
            rest_ms += max(0, since - until_ms)
        until_ms = max(until_ms, until)
    return rest_ms


def _active_s(totals: JobTotals) -> dict[str, float]:
    return {worker: (until - since) / 1000 for worker, (since, until) in totals.active_ms.items()}


def _shares(totals: JobTotals, workers: Sequence[WorkerReport]) -> list[WorkerShare]:
    reports = {worker.worker: worker for worker in workers}
    return [
        _share(worker, totals.tasks_by_worker[worker], totals.busy_us_by_worker[worker] / 1e6, reports.get(worker))
        for worker in sorted(reports.keys() | totals.tasks_by_worker.keys())
    ]


def _share(worker: str, tasks: int, busy_s: float, report: WorkerReport | None) -> WorkerShare:
    if report is None:
        return WorkerShare(worker, None, tasks, busy_s)
    return WorkerShare(worker, report.slots, tasks, busy_s, min(busy_s, report.waited_ms / 1000))


def _efficiency(
    shares: Sequence[WorkerShare], active_s: Mapping[str, float], makespan_s: float, task_slots: int
) -> float | None:
    """Of workers one after the other, each counts for as long as it was active; a task may take several slots."""
    ran = [share for share in shares if share.tasks]
    slots = [share.slots for share in ran if share.slots]
    if len(slots) < len(ran) or not ran or not makespan_s:
        return None
    slots_s = sum((share.slots or 0) * active_s.get(share.id, makespan_s) for share in ran)
    busy_s = sum(min(task_slots, share.slots or 1) * share.busy_s - share.waited_s for share in ran)
    return busy_s / slots_s if slots_s else None


def _api_calls(reports: Iterable[RangeReport | WorkerReport]) -> dict[str, int]:
    calls: Counter[str] = Counter()
    for report in reports:
        calls.update(report.api_calls)
    return dict(sorted(calls.items()))
