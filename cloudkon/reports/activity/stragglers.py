"""The tasks that ran longest."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from cloudkon.ledger.results import TaskState

MOST_STRAGGLERS = 12


@dataclass(frozen=True, slots=True, order=True)
class TaskPlace:
    """Where a task stands in its workload; sorts in the order of the lines."""

    range: int
    line: int
    """Within the range."""


@dataclass(frozen=True, slots=True, order=True)
class TaskSpan:
    """The last run of a task."""

    place: TaskPlace
    worker: str
    start_ms: int
    duration_ms: float
    state: TaskState
    runs: int


@dataclass(slots=True)
class Stragglers:
    """Keeps the longest of any number of runs; of those that took as long, the first by their lines."""

    most: int = MOST_STRAGGLERS
    _heap: list[tuple[tuple[float, int, int], TaskSpan]] = field(default_factory=list)

    @property
    def least_ms(self) -> float:
        """What is shorter is none of them."""
        return self._heap[0][1].duration_ms if len(self._heap) >= self.most else 0.0

    def add(self, span: TaskSpan) -> None:
        if span.duration_ms < self.least_ms:
            return
        heapq.heappush(self._heap, ((span.duration_ms, -span.place.range, -span.place.line), span))
        if len(self._heap) > self.most:
            heapq.heappop(self._heap)

    def longest_first(self) -> Sequence[TaskSpan]:
        return [span for _, span in sorted(self._heap, reverse=True)]
