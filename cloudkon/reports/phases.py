"""The phases of a task, from the moment its workload is dropped until its result is recorded.

event ......... sent ....... received ... claimed .... start ....... end ...... recorded
  |  dispatch    |   queue      |   claim    |   wait    |    run     |   record   |
  |------------------------------- end to end -------------------------------------|

The stamps from sent to claimed are the row's, so they belong to its last attempt only: queue, claim and wait are known
for the results of that attempt, see is_of_last_attempt.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.telemetry.histogram import Histogram


def dispatch_ms(row: BundleRow) -> int:
    return row.sent_ms - row.event_ms


def queue_ms(row: BundleRow) -> int:
    return row.received_ms - row.sent_ms


def claim_ms(row: BundleRow) -> int:
    return row.claimed_ms - row.received_ms


def wait_ms(row: BundleRow, result: TaskResult) -> int:
    return result.start_ms - row.claimed_ms


def run_ms(result: TaskResult) -> float:
    return result.duration_us / 1000


def record_ms(result: TaskResult) -> float | None:
    """None while the result is not recorded; so is end_to_end_ms."""
    return None if result.recorded_ms is None else result.recorded_ms - result.start_ms - result.duration_us / 1000


def end_to_end_ms(row: BundleRow, result: TaskResult) -> int | None:
    return None if result.recorded_ms is None else result.recorded_ms - row.event_ms


def is_of_last_attempt(row: BundleRow, result: TaskResult) -> bool:
    """Whether the result comes from the attempt that the row's stamps belong to."""
    return result.attempt == row.attempt


def task_phases_ms(row: BundleRow, result: TaskResult | None) -> Mapping[str, float]:
    """How long each phase of one task took, as far as is known; differing clocks may turn one negative."""
    phases: dict[str, float | None] = {"dispatch": dispatch_ms(row)}
    has_stamps = result is None or is_of_last_attempt(row, result)
    if has_stamps:
        phases |= {"queue": queue_ms(row), "claim": claim_ms(row)}
    if result is not None and result.state is not TaskState.REJECTED:
        if has_stamps:
            phases["wait"] = wait_ms(row, result)
        phases |= {"run": run_ms(result), "record": record_ms(result), "end_to_end": end_to_end_ms(row, result)}
    return {name: ms for name, ms in phases.items() if ms is not None}


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long a phase took; None while no task has passed it."""

    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    max_ms: float | None

    @classmethod
    def of(cls, durations: Histogram) -> "Percentiles":
        return cls(durations.percentile(50), durations.percentile(90), durations.percentile(99), durations.max_ms)

    def as_json(self) -> dict[str, float | None]:
        return {name: None if ms is None else round(ms, 3) for name, ms in asdict(self).items()}


def _add_since(histogram: Histogram, since_ms: int, times_ms: list[int]) -> None:
    """Add how long after a time these are; many are equal."""
    for time_ms, count in Counter(times_ms).items():
        histogram.add(time_ms - since_ms, count)


_RAN = frozenset({TaskState.SUCCEEDED, TaskState.FAILED})


class Phases:
    """Collects the durations of each phase over the tasks that ran; those that were rejected did not."""

    def __init__(self) -> None:
        self._dispatch = Histogram()
        self._queue = Histogram()
        self._claim = Histogram()
        self._wait = Histogram()
        self._run = Histogram()
        self._record = Histogram()
        self._end_to_end = Histogram()

    def add(self, row: BundleRow) -> None:
        """Add the tasks of one bundle; clocks that differ may turn a duration negative: it counts as 0."""
        if isinstance(row.results, ResultColumns) and row.results.are_plain:
            self._add_plain(row, row.results)
            return
        ran = [result for result in row.results if result is not None and result.state in _RAN]
        if not ran:
            return
        self._dispatch.add(dispatch_ms(row), len(ran))
        self._run.add_all(run_ms(result) for result in ran)
        self._record.add_all(ms for result in ran if (ms := record_ms(result)) is not None)
        self._end_to_end.add_all(ms for result in ran if (ms := end_to_end_ms(row, result)) is not None)
        own = [result for result in ran if is_of_last_attempt(row, result)]
        if own:
            self._queue.add(queue_ms(row), len(own))
            self._claim.add(claim_ms(row), len(own))
            self._wait.add_all(wait_ms(row, result) for result in own)

    def _add_plain(self, row: BundleRow, results: ResultColumns) -> None:
        """Do what add does, by columns: the same durations in the same units."""
        starts_ms, durations_us, recorded_ms = results.starts_ms, results.durations_us, results.recorded_ms
        self._dispatch.add(dispatch_ms(row), len(results))
        self._run.add_all_us(durations_us)
        times = zip(recorded_ms, starts_ms, durations_us, strict=True)
        self._record.add_all_us([1000 * (end - start) - us for end, start, us in times if end])
        _add_since(self._end_to_end, row.event_ms, [end for end in recorded_ms if end])
        own = starts_ms
        if results.attempts.count(row.attempt) < len(results):
            own = [ms for ms, attempt in zip(starts_ms, results.attempts, strict=True) if attempt == row.attempt]
        if own:
            self._queue.add(queue_ms(row), len(own))
            self._claim.add(claim_ms(row), len(own))
            _add_since(self._wait, row.claimed_ms, own)

    def percentiles(self) -> Mapping[str, Percentiles]:
        """The phases by name, in their order."""
        return {name: Percentiles.of(durations) for name, durations in self.histograms().items()}

    def histograms(self) -> Mapping[str, Histogram]:
        """The durations of each phase, by its name."""
        return {
            "dispatch": self._dispatch,
            "queue": self._queue,
            "claim": self._claim,
            "wait": self._wait,
            "run": self._run,
            "record": self._record,
            "end_to_end": self._end_to_end,
        }
