"""How long the phases that handlers tell by context().stage(...) took, over all tasks of a job."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudkon.ledger.results import TaskResult
from cloudkon.reports.phases import Percentiles
from cloudkon.telemetry.histogram import Histogram

MAX_NAMES = 32
"""How many phases are told apart in one job: the first by the alphabet; others are left out."""


@dataclass(frozen=True, slots=True)
class HandlerPhase:
    """How long one phase took, over the tasks that have it."""

    percentiles: Percentiles
    total_ms: float
    tasks: int

    def as_json(self) -> dict[str, Any]:
        return self.percentiles.as_json() | {"total_ms": round(self.total_ms, 1), "tasks": self.tasks}


class HandlerPhases:
    """Collects the durations by name; the sums do not depend on the order in which results are added."""

    def __init__(self) -> None:
        self._by_name: dict[str, _Durations] = {}

    def add(self, results: Iterable[TaskResult]) -> None:
        for result in results:
            if result.phases_ms is not None:
                for name, ms in result.phases_ms.items():
                    self._add(name, ms)

    def by_cost(self) -> Mapping[str, HandlerPhase]:
        """The phases by name; the one that took most in total comes first."""
        found = sorted(self._by_name.items(), key=lambda item: (-item[1].total_us, item[0]))
        return {
            name: HandlerPhase(Percentiles.of(each.histogram), each.total_us / 1000, each.histogram.count)
            for name, each in found
        }

    def _add(self, name: str, ms: float) -> None:
        found = self._by_name.get(name)
        if found is None:
            found = self._by_name[name] = _Durations()
            if len(self._by_name) > MAX_NAMES:
                # The last by the alphabet goes: every name that stays was therefore counted from its first duration on.
                del self._by_name[max(self._by_name)]
        found.histogram.add(ms)
        found.total_us += max(0, round(ms * 1000))


class _Durations:
    """The total is kept in whole microseconds, whose sum does not depend on their order."""

    def __init__(self) -> None:
        self.histogram = Histogram()
        self.total_us = 0
