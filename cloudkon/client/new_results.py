"""The results of a job's tasks as they come: each is told once, in whichever order they are recorded."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cloudkon.client.errors import TaskError
from cloudkon.client.values import value_of
from cloudkon.ledger.job import Job, RangeReport
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.messages.wire import numbered
from cloudkon.ports import LedgerReader, ObjectStore
from cloudkon.reports.known_bundles import known_bundles
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.rejects import read_rejects


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one task."""

    job: str
    line: int
    """The number of the task's line in the workload, from 1; of map, the number of the item, from 1."""
    state: str
    """succeeded, failed or rejected."""
    value: Any = None
    """What was returned, as JSON holds it; bytes as they are."""
    error: str | None = None
    duration_s: float = 0.0
    """How long the last run took."""
    runs: int = 0
    id: str | None = None
    """The id that the workload gives the task."""
    text: str | None = None
    """The task's line: of those that were rejected before they ran, and in Job.failed()."""
    output: str | None = None
    """The key of the first file that it stored."""
    raised_at: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.state == TaskState.SUCCEEDED.word

    def get(self) -> Any:
        """The value; raise TaskError if the task did not succeed."""
        if self.succeeded:
            return self.value
        raise TaskError(
            self.error or self.state, job=self.job, line=self.line, state=self.state, raised_at=self.raised_at
        )


class NewResults:
    """Reads a job's rows again and again, and tells what is new in them."""

    def __init__(self, reader: LedgerReader, store: ObjectStore, *, with_values: bool = True) -> None:
        """With_values: large values are read from the store."""
        self._reader = reader
        self._store = store
        self._with_values = with_values
        self._done: set[str] = set()
        """The ids of the bundles of which everything was told."""
        self._begun: dict[str, set[int]] = {}
        """Of others, the lines within their range that were told."""
        self._rejects_told: Counter[int] = Counter()
        """Of each range, how many of its rejected lines were told."""
        self.are_all = False
        """Whether there will be no others."""

    def read(self, job: Job) -> Iterator[Result]:
        """What is final and was not told yet; a result is final, too, while others of its bundle still run."""
        reports = self._reader.dispatched(job.id)  # before the bundles: who sees the last range sees all that it sent
        offsets = LineOffsets(reports)
        yield from self._refused(job, reports, offsets)
        for row in known_bundles(self._reader, job, reports):
            before = offsets.before(row.key.range)
            if row.key.id not in self._done and before is not None:
                yield from self._new_in(row, before)
        is_dispatched = len(reports) == job.ranges
        self.are_all = is_dispatched and len(self._done) >= sum(report.bundles for report in reports)

    def _new_in(self, row: BundleRow, before: int) -> Iterator[Result]:
        told = self._begun.setdefault(row.key.id, set())
        for line, result in numbered(row):
            if line not in told:
                found = self._result(row.key.job, line + before, result)
                told.add(line)  # only now: a store that does not answer is asked again
                yield found
        if row.state is BundleState.DONE:
            self._done.add(row.key.id)
            del self._begun[row.key.id]

    def _result(self, job: str, line: int, result: TaskResult) -> Result:
        return Result(
            job=job,
            line=line,
            state=result.state.word,
            value=value_of(result, self._store, job) if self._with_values else None,
            error=result.error,
            duration_s=result.duration_us / 1e6,
            runs=result.runs,
            id=result.id,
            output=result.output,
            raised_at=result.raised_at,
        )

    def _refused(self, job: Job, reports: Sequence[RangeReport], offsets: LineOffsets) -> Iterator[Result]:
        for report in reports:
            before = offsets.before(report.range)
            told = self._rejects_told[report.range]
            if before is None or told >= report.rejected:
                continue
            for reject in islice(read_rejects(self._store, report), told, None):
                self._rejects_told[report.range] += 1
                yield Result(
                    job.id, before + reject.line, TaskState.REJECTED.word, error=reject.reason, text=reject.text
                )
