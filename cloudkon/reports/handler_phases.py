"""What the handlers' own stages took, over a job's tasks: it shows where the time of their runs went."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudkon.ledger.results import TaskResult
from cloudkon.reports.phases import Percentiles
from cloudkon.telemetry.histogram import Histogram

MAX_NAMES = 32
"""Of stages that are told apart in one job: the first of the alphabet; others are left out."""


@dataclass(frozen=True, slots=True)
class HandlerStage:
    """How long one stage took, over the tasks that have it."""

    percentiles: Percentiles
    total_ms: float
    tasks: int

    def as_json(self) -> dict[str, Any]:
        return self.percentiles.as_json() | {"total_ms": round(self.total_ms, 1), "tasks": self.tasks}


class HandlerStages:
    """Collects the durations by name; the answer does not depend on the order in which they come."""

    def __init__(self) -> None:
        self._by_name: dict[str, _Durations] = {}

    def add(self, results: Iterable[TaskResult]) -> None:
        for result in results:
            if result.stages_ms is not None:
                for name, ms in result.stages_ms.items():
                    self._add(name, ms)

    def stages(self) -> Mapping[str, HandlerStage]:
        """The stages by name, what took the most first."""
        found = sorted(self._by_name.items(), key=lambda item: (-item[1].total_us, item[0]))
        return {
            name: HandlerStage(Percentiles.of(each.histogram), each.total_us / 1000, each.histogram.count)
            for name, each in found
        }

    def _add(self, name: str, ms: float) -> None:
        found = self._by_name.get(name)
        if found is None:
            found = self._by_name[name] = _Durations()
            if len(self._by_name) > MAX_NAMES:
                del self._by_name[max(self._by_name)]  # whatever stays comes before it, and is counted from its first
        found.histogram.add(ms)
        found.total_us += max(0, round(ms * 1000))


class _Durations:
    """In whole microseconds, whose sum does not depend on their order."""

    def __init__(self) -> None:
        self.histogram = Histogram()
        self.total_us = 0
