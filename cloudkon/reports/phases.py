"""The stages of a task's way, from the drop of its workload to the record of its result.

event ......... sent ....... received ... claimed .... start ....... end ...... recorded
  |  dispatch    |   queue      |   claim    |   wait    |    run     |   record   |
  |------------------------------- end to end -------------------------------------|
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.telemetry.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long a stage took; None while no task has passed it."""

    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    max_ms: float | None

    @classmethod
    def of(cls, durations: Histogram) -> "Percentiles":
        return cls(durations.percentile(50), durations.percentile(90), durations.percentile(99), durations.max_ms)

    def as_json(self) -> dict[str, float | None]:
        return {name: None if ms is None else round(ms, 3) for name, ms in asdict(self).items()}


_RAN = frozenset({TaskState.SUCCEEDED, TaskState.FAILED})


class Stages:
    """Collects the durations of each stage over the tasks that ran; those that were rejected did not."""

    def __init__(self, event_ms: int) -> None:
        self._event_ms = event_ms
        self._dispatch = Histogram()
        self._queue = Histogram()
        self._claim = Histogram()
        self._wait = Histogram()
        self._run = Histogram()
        self._record = Histogram()
        self._end_to_end = Histogram()

    def add(self, row: BundleRow) -> None:
        """Take in what a bundle's row tells; clocks that differ may turn a duration negative: it counts as 0."""
        ran = [result for result in row.results if result is not None and result.state in _RAN]
        if not ran:
            return
        self._dispatch.add(row.sent_ms - self._event_ms, len(ran))
        self._run.add_all(result.duration_us / 1000 for result in ran)
        self._add_record(ran)
        # The row's stamps are the last attempt's: what earlier attempts ran has no message and no claim to go with it.
        own = [result for result in ran if result.attempt == row.attempt]
        self._queue.add(row.received_ms - row.sent_ms, len(own))
        self._claim.add(row.claimed_ms - row.received_ms, len(own))
        self._wait.add_all(result.start_ms - row.claimed_ms for result in own)

    def _add_record(self, ran: list[TaskResult]) -> None:
        recorded = [(result.recorded_ms, result.end_ms) for result in ran if result.recorded_ms is not None]
        self._record.add_all(recorded_ms - end_ms for recorded_ms, end_ms in recorded)
        self._end_to_end.add_all(recorded_ms - self._event_ms for recorded_ms, _ in recorded)

    def percentiles(self) -> Mapping[str, Percentiles]:
        """The stages by name, in their order."""
        stages = {
            "dispatch": self._dispatch,
            "queue": self._queue,
            "claim": self._claim,
            "wait": self._wait,
            "run": self._run,
            "record": self._record,
            "end_to_end": self._end_to_end,
        }
        return {name: Percentiles.of(durations) for name, durations in stages.items()}
