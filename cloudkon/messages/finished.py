"""The bundles that have ended, as a run on this machine learns of them: as rows, or as records on the process queue."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import TaskState
from cloudkon.messages.wire import Completion, decode_completion, numbered, recorded_json
from cloudkon.ports import MAX_BATCH_MESSAGES, TaskQueue

_VISIBILITY_S = 60.0
_MOST_AT_ONCE = 64


class FinishedTasks(Protocol):
    """The tasks of a bundle that have ended; iterating makes the JSON of each, counting does not."""

    def __iter__(self) -> Iterator[dict[str, Any]]: ...

    @property
    def states(self) -> Mapping[str, int]:
        """How many ended in each state."""
        ...


@dataclass(frozen=True, slots=True)
class TasksOfRow:
    """As a row holds them; lines_before counts the lines of the ranges before the row's."""

    row: BundleRow
    lines_before: int

    def __iter__(self) -> Iterator[dict[str, Any]]:
        row = self.row
        return (recorded_json(line, result, row.owners) for line, result in numbered(row, self.lines_before))

    @property
    def states(self) -> Mapping[str, int]:
        results = self.row.results
        if isinstance(results, ResultColumns) and results.are_plain:
            return {TaskState.SUCCEEDED.word: len(results)}
        return Counter(result.state.word for _, result in numbered(self.row))


@dataclass(frozen=True, slots=True)
class TasksOfRecord:
    """As a completion record tells them."""

    completion: Completion
    lines_before: int

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.completion.numbered(self.lines_before))

    @property
    def states(self) -> Mapping[str, int]:
        return Counter(task["state"] for task in self.completion.tasks)


@dataclass(frozen=True, slots=True)
class FinishedBundle:
    """A bundle that has ended; it may be told more than once."""

    id: str
    range: int
    said: BundleRow | Completion

    @property
    def job(self) -> str:
        return self.said.key.job if isinstance(self.said, BundleRow) else self.said.job

    def tasks(self, lines_before: int) -> FinishedTasks:
        """Its tasks, numbered within the whole workload."""
        if isinstance(self.said, BundleRow):
            return TasksOfRow(self.said, lines_before)
        return TasksOfRecord(self.said, lines_before)


class FinishedBundles(Protocol):
    """Where a run learns of the bundles that have ended."""

    def receive(self, wait_s: float) -> Iterator[FinishedBundle]:
        """Wait for some; none after so long."""
        ...


class RowsInMemory:
    """The rows that the worker of this process has completed; implements Completions."""

    def __init__(self) -> None:
        self._rows: SimpleQueue[BundleRow] = SimpleQueue()

    def tell(self, rows: Sequence[BundleRow]) -> set[int]:
        for row in rows:
            self._rows.put(row)
        return set(range(len(rows)))

    def receive(self, wait_s: float) -> Iterator[FinishedBundle]:
        try:
            for at in range(_MOST_AT_ONCE):
                row = self._rows.get(block=not at, timeout=None if at else wait_s)
                yield FinishedBundle(row.key.id, row.key.range, row)
        except Empty:
            return


@dataclass(frozen=True, slots=True)
class RecordsOnQueue:
    """The completion records on the process queue; each is deleted once it has been dealt with."""

    queue: TaskQueue

    def receive(self, wait_s: float) -> Iterator[FinishedBundle]:
        for delivery in self.queue.receive(MAX_BATCH_MESSAGES, wait_s, _VISIBILITY_S):
            completion = decode_completion(delivery.body)
            yield FinishedBundle(completion.bundle, completion.range, completion)
            self.queue.delete([delivery.receipt])
