"""Sums up the rows of a job's bundles, a row at a time."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.reports.handler_phases import HandlerPhases
from cloudkon.reports.phases import Phases


def is_taken_over(row: BundleRow, known: Iterable[TaskResult]) -> bool:
    """Whether one worker went on with what another began, though none of the known results was to be tried again."""
    return len(set(row.owners)) > 1 and all(result.runs == 1 for result in known)


class JobTotals:
    """The sums over a job's bundles."""

    def __init__(self) -> None:
        self.phases = Phases()
        self.handler_phases = HandlerPhases()
        self.bundles: Counter[BundleState] = Counter()
        self.tasks_by_range: Counter[int] = Counter()
        self.tasks_by_worker: Counter[str] = Counter()
        self.busy_us_by_worker: Counter[str] = Counter()
        self.failed_us = 0
        """How long the last runs of failed tasks took, together."""
        self.claims = 0
        self.running = 0
        self.runs = 0
        self.last_ms = 0
        """When the last result was recorded, 0 before the first."""
        self.taken_over = 0
        """Bundles that one worker began and another went on with, though none of their tasks was to be tried again."""
        self.active_ms: dict[str, tuple[int, int]] = {}
        """From when to when each worker is known to have worked: its first claim, its last record."""
        self._by_state: Counter[TaskState] = Counter()

    @property
    def succeeded(self) -> int:
        return self._by_state[TaskState.SUCCEEDED]

    @property
    def failed(self) -> int:
        return self._by_state[TaskState.FAILED]

    @property
    def rejected(self) -> int:
        """Those that workers have rejected: what the dispatcher rejects has no bundle."""
        return self._by_state[TaskState.REJECTED]

    @property
    def results(self) -> int:
        return self._by_state.total()

    def add(self, row: BundleRow) -> None:
        """Count one row; each row may be counted once."""
        if isinstance(row.results, ResultColumns) and row.results.are_plain:
            self._add_plain(row, row.results)
            return
        known = [result for result in row.results if result is not None]
        results = [result for result in known if result.is_final]
        self._count_bundle(row, known)
        if row.state is BundleState.LEASED:
            self.running += len(row.results) - len(results)
        self._by_state.update([result.state for result in results])
        self.runs += sum([result.runs for result in known])
        self.last_ms = max(self.last_ms, max((result.recorded_ms or 0 for result in results), default=0))
        self._credit(row, results)
        self.phases.add(row)
        self.handler_phases.add(results)

    def _add_plain(self, row: BundleRow, results: ResultColumns) -> None:
        """Count a row of plain results by its columns, at a tenth of the cost."""
        self._count_bundle(row, ())
        self._by_state[TaskState.SUCCEEDED] += len(results)
        self.runs += results.runs
        self.last_ms = max(self.last_ms, *results.recorded_ms)
        for attempt, tasks in Counter(results.attempts).items():
            worker = row.owners[attempt - 1]
            self.tasks_by_worker[worker] += tasks
            self.busy_us_by_worker[worker] += results.busy_us(attempt)
        self._worked(row.owners[max(results.attempts) - 1], row.claimed_ms, max(results.recorded_ms))
        self.phases.add(row)

    def _count_bundle(self, row: BundleRow, known: Sequence[TaskResult]) -> None:
        self.bundles[row.state] += 1
        self.claims += row.attempt
        self.tasks_by_range[row.key.range] += len(row.results)
        if is_taken_over(row, known):
            self.taken_over += 1

    def _worked(self, worker: str, since_ms: int, until_ms: int) -> None:
        known_since_ms, known_until_ms = self.active_ms.get(worker, (since_ms, until_ms))
        self.active_ms[worker] = min(since_ms, known_since_ms), max(until_ms, known_until_ms)

    def _credit(self, row: BundleRow, results: list[TaskResult]) -> None:
        for result in results:
            if result.state is TaskState.FAILED:
                self.failed_us += result.duration_us
            worker = row.owners[result.attempt - 1]
            self.tasks_by_worker[worker] += 1
            self.busy_us_by_worker[worker] += result.duration_us
            self._worked(worker, result.start_ms, result.recorded_ms or result.start_ms)
