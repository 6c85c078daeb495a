"""Everything about a job that has a time: filled a bundle's row at a time, while its statistics are worked out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.reports.activity.stragglers import Stragglers, TaskPlace, TaskSpan
from cloudkon.reports.activity.time_bins import Counts, Load, TimeBins
from cloudkon.reports.totals import is_taken_over

MOST_SPANS = 1_200
"""Up to so many tasks are shown one by one; of more, only how many there were."""
MOST_WORKERS = 48
"""So many workers have a row of their own; the rest have one together."""
WORKER_BINS = 192
OTHER_WORKERS = ""
MOST_TAKEOVERS = 200


@dataclass(frozen=True, slots=True)
class Takeover:
    """A bundle that one worker began and another claimed."""

    at_ms: int
    worker: str
    before: str
    """The worker that had it before: it died, or gave it back."""


class Activity:
    """Sums over time of a job's runs, and the few that are worth showing one by one."""

    def __init__(self, job: Job) -> None:
        origin_ms = job.source.event_ms
        self.bins = TimeBins(origin_ms)
        self.running = Load(self.bins)
        self.slots = Load(self.bins)
        """How many slots there were; whoever knows the workers fills it."""
        self.recorded = Counts(self.bins)
        self.failed = Counts(self.bins)
        self.retried = Counts(self.bins)
        """The last runs of tasks that were run before."""
        self.taken_over = Counts(self.bins)
        self.worker_bins = TimeBins(origin_ms, WORKER_BINS)
        self.by_worker: dict[str, Load] = {}
        self.spans: list[TaskSpan] | None = []
        """Every task, as long as there are few."""
        self.takeovers: list[Takeover] = []
        self.stragglers = Stragglers()

    def add(self, row: BundleRow) -> None:
        """Take one row in; each row may be given once."""
        if isinstance(row.results, ResultColumns) and row.results.are_plain:
            self._add_plain(row, row.results)
        else:
            self._add_each(row, [each for each in row.results if each is not None and _ran(each)])
        self._keep_spans(row)
        if len(row.owners) > 1 and is_taken_over(row, filter(None, row.results)):
            self.taken_over.add(row.claimed_ms)
            if len(self.takeovers) < MOST_TAKEOVERS:
                self.takeovers.append(Takeover(row.claimed_ms, row.owner, row.owners[-2]))

    def _add_plain(self, row: BundleRow, results: ResultColumns) -> None:
        """Add a row of plain results by its columns."""
        starts: Sequence[float] = results.starts_ms
        ends = [start + us / 1000 for start, us in zip(starts, results.durations_us, strict=True)]
        self.running.add_all(starts, ends)
        recorded = [ms for ms in results.recorded_ms if ms]
        if recorded:
            self.recorded.add_all(recorded)
        attempts = set(results.attempts)
        for attempt in attempts:
            own = [at for at, each in enumerate(results.attempts) if each == attempt] if len(attempts) > 1 else None
            of = (starts, ends) if own is None else ([starts[at] for at in own], [ends[at] for at in own])
            self._worker(row.owners[attempt - 1]).add_all(*of)
        if max(results.durations_us) / 1000 >= self.stragglers.least_ms:
            for span in _spans(row):
                self.stragglers.add(span)

    def _add_each(self, row: BundleRow, results: Sequence[TaskResult]) -> None:
        for result in results:
            self.running.add(result.start_ms, result.end_ms)
            self._worker(row.owners[result.attempt - 1]).add(result.start_ms, result.end_ms)
            if result.runs > 1:
                self.retried.add(result.start_ms)
            if result.recorded_ms is not None and result.is_final:
                self.recorded.add(result.recorded_ms)
                if result.state is TaskState.FAILED:
                    self.failed.add(result.recorded_ms)
        for span in _spans(row):
            self.stragglers.add(span)

    def _worker(self, name: str) -> Load:
        if name not in self.by_worker and len(self.by_worker) >= MOST_WORKERS:
            name = OTHER_WORKERS
        if name not in self.by_worker:
            self.by_worker[name] = Load(self.worker_bins)
        return self.by_worker[name]

    def _keep_spans(self, row: BundleRow) -> None:
        if self.spans is None:
            return
        if len(self.spans) + len(row.results) > MOST_SPANS:
            self.spans = None
            return
        self.spans.extend(_spans(row))


def _ran(result: TaskResult) -> bool:
    return result.state is not TaskState.REJECTED


def _spans(row: BundleRow) -> Iterator[TaskSpan]:
    for line, result in zip(row.lines, row.results, strict=True):
        if result is not None and _ran(result):
            worker = row.owners[result.attempt - 1]
            place = TaskPlace(row.key.range, line)
            yield TaskSpan(place, worker, result.start_ms, result.duration_us / 1000, result.state, result.runs)
