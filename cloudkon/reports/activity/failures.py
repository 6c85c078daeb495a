"""Why tasks failed, grouped while a job's rows are read in any order: the examples are those of the first lines."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import TaskState
from cloudkon.reports.activity.stragglers import TaskPlace
from cloudkon.reports.error_groups import ErrorGroup, ErrorGroups
from cloudkon.workload.packing import Reject

_RANGE_LINES = 1 << 40
"""More lines than a range has: places become numbers in the same order."""


class Failures:
    """The reasons of a job's failed and rejected tasks."""

    def __init__(self) -> None:
        self._groups = ErrorGroups()

    def add(self, row: BundleRow) -> None:
        """Take in what failed in one bundle."""
        if isinstance(row.results, ResultColumns) and row.results.are_plain:
            return
        for line, result in zip(row.lines, row.results, strict=True):
            if result is not None and result.state in (TaskState.FAILED, TaskState.REJECTED):
                number = row.key.range * _RANGE_LINES + line
                self._groups.add(result.state.word, number, result.error or "", result.raised_at)

    def add_rejects(self, range_: int, rejects: Iterable[Reject]) -> None:
        """Take in the lines of a range that the dispatcher could not read."""
        for reject in rejects:
            self._groups.add(TaskState.REJECTED.word, range_ * _RANGE_LINES + reject.line, reject.reason, None)

    def groups(self, number_of: Callable[[TaskPlace], int | None]) -> Sequence[ErrorGroup]:
        """The most frequent reason first; lines that can't be numbered yet are left out."""
        groups = self._groups.by_frequency()
        for group in groups:
            group.lines = list(_numbers(group.lines, number_of))
        return groups


def _numbers(places: Iterable[int], number_of: Callable[[TaskPlace], int | None]) -> Iterator[int]:
    for place in places:
        number = number_of(TaskPlace(*divmod(place, _RANGE_LINES)))
        if number is not None:
            yield number
