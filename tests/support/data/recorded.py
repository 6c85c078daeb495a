"""Rows of a job as a ledger might hold them, for tests of those who read it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.job import Job, RangeKey, RangeReport, Source, WorkerReport
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import Results, TaskResult, TaskState

EVENT_MS = 1_750_000_000_000


def job(job_id: str = "tasks-abc", *, ranges: int = 1, estimate: int = 0, cancelled_ms: int | None = None) -> Job:
    source = Source("workloads", f"{job_id}.txt", "v1", EVENT_MS)
    return Job(job_id, source, 1000, ranges, 1, 64, estimate, EVENT_MS + 1, cancelled_ms=cancelled_ms)


def result(
    state: TaskState = TaskState.SUCCEEDED,
    *,
    start: int = 400,
    ms: float = 100.0,
    recorded: int = 600,
    attempt: int = 1,
    runs: int = 1,
    error: str | None = None,
    value: object = None,
) -> TaskResult:
    """A result; times in milliseconds after the event."""
    return TaskResult(
        state, EVENT_MS + start, round(ms * 1000), attempt, runs, EVENT_MS + recorded, error=error, value=value
    )


def row(
    results: Results,
    *,
    state: BundleState = BundleState.DONE,
    range_: int = 0,
    number: int = 0,
    owners: tuple[str, ...] = ("w1",),
    first_line: int = 1,
    stamps: tuple[int, int, int] = (100, 200, 300),
    job_id: str = "tasks-abc",
) -> BundleRow:
    """A bundle's row; stamps are when it was sent, received and claimed, in milliseconds after the event."""
    sent, received, claimed = stamps
    return BundleRow(
        BundleKey(job_id, range_, number),
        state,
        owners,
        "token",
        LineNumbers(((first_line, len(results)),)),
        tuple(results),
        EVENT_MS,
        EVENT_MS + sent,
        EVENT_MS + received,
        EVENT_MS + claimed,
        EVENT_MS + 120_000,
        EVENT_MS + 600 if state is BundleState.DONE else None,
    )


def report(
    tasks: int, *, range_: int = 0, bundles: int = 1, rejected: int = 0, lines: int | None = None
) -> RangeReport:
    counted = tasks + rejected if lines is None else lines
    calls = {"sqs.SendMessageBatch": bundles}
    return RangeReport("tasks-abc", range_, tasks, bundles, rejected, counted, EVENT_MS, EVENT_MS + 150, calls)


def worker(name: str = "w1", *, slots: int = 4, duplicates_dropped: int = 0, unrecorded_runs: int = 0) -> WorkerReport:
    calls = {"dynamodb.UpdateItem": 2, "sqs.ReceiveMessage": 1}
    return WorkerReport(
        "tasks-abc",
        name,
        slots,
        EVENT_MS,
        EVENT_MS + 700,
        duplicates_dropped=duplicates_dropped,
        unrecorded_runs=unrecorded_runs,
        api_calls=calls,
    )


@dataclass
class Recorded:
    """A ledger of one job, read only; a test changes its lists to let time pass."""

    the_job: Job | None = None
    rows: list[BundleRow] = field(default_factory=list)
    reports: list[RangeReport] = field(default_factory=list)
    reporting: list[WorkerReport] = field(default_factory=list)

    def job(self, job: str) -> Job | None:
        return self.the_job if self.the_job and self.the_job.id == job else None

    def recent(self, limit: int) -> Sequence[Job]:
        return [self.the_job][:limit] if self.the_job else []

    def bundles(self, job: Job) -> Iterator[BundleRow]:
        return iter(list(self.rows))

    def workers(self, job: str) -> Sequence[WorkerReport]:
        return self.reporting

    def dispatched(self, job: str) -> Sequence[RangeReport]:
        return self.reports

    def is_dispatched(self, key: RangeKey) -> bool:
        return any(report.range == key.number for report in self.reports)

    def open(self, job: Job) -> Job:
        raise AssertionError("readers open no jobs")

    def record_range(self, report: RangeReport) -> None:
        raise AssertionError("readers record no ranges")

    def report_worker(self, report: WorkerReport) -> None:
        raise AssertionError("readers report no workers")
