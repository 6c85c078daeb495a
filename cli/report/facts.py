"""Gathers everything that a report shows, in one reading of the job's rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.jobs.ledgers import FoundJob
from cli.jobs.local_runs import is_stopped, read_until_stopped, state_of
from cli.report.outputs import Outputs
from cloudkon.clock import Clock
from cloudkon.costs.job_cost import JobCost, job_cost
from cloudkon.costs.prices import Prices
from cloudkon.errors import UnavailableError
from cloudkon.reports.activity.activity import Activity
from cloudkon.reports.activity.failures import Failures
from cloudkon.reports.activity.stragglers import TaskPlace
from cloudkon.reports.error_groups import ErrorGroup
from cloudkon.reports.stats import JobReading, JobStats
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.rejects import read_rejects

_TRIES = 6
_WAIT_S = 5.0
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A job at one moment."""

    reading: JobReading
    activity: Activity
    failures: Sequence[ErrorGroup]
    outputs: Outputs
    cost: JobCost
    now_ms: int
    state: str
    """As `jobs` has it: also paused, and stopped."""
    stopped: bool
    forgotten_bundles: int
    """How many bundles have been sent, and have no row any more though everything of the job is old."""

    line_of: Callable[[TaskPlace], int | None]
    """The number of a task's line; None while an earlier range is still to be dispatched."""

    @property
    def stats(self) -> JobStats:
        return self.reading.stats


def gather(found: FoundJob, clock: Clock, prices: Prices, retention_s: float, tell: Callable[[str], None]) -> JobFacts:
    """Read the job; a ledger that does not answer, or throttles, is asked again for half a minute."""
    for _ in range(_TRIES - 1):
        try:
            return _gathered(found, clock.now_ms(), prices, retention_s)
        except UnavailableError as error:
            tell(f"{error} Asking again in {_WAIT_S:g} s.")
            clock.sleep(_WAIT_S)
    return _gathered(found, clock.now_ms(), prices, retention_s)


def _gathered(found: FoundJob, now_ms: int, prices: Prices, retention_s: float) -> JobFacts:
    store, job = found.records.results, found.job
    activity, failures, outputs = Activity(job), Failures(), Outputs()
    reading = read_until_stopped(found, now_ms, activity.add, failures.add, outputs.add)
    for report in reading.ranges:
        if report.rejected:
            failures.add_rejects(report.range, read_rejects(store, report))
    _add_slots(activity, reading)
    offsets = LineOffsets(reading.ranges)

    def number_of(place: TaskPlace) -> int | None:
        return offsets.number(place.range, place.line)

    bundles = reading.stats.bundles
    known = bundles.done + bundles.leased + bundles.released
    is_old = now_ms - job.opened_ms > retention_s * 1000 - _DAY_MS
    return JobFacts(
        reading=reading,
        activity=activity,
        failures=failures.groups(number_of),
        outputs=outputs,
        cost=job_cost(reading, prices),
        now_ms=now_ms,
        state=state_of(found, reading.stats),
        stopped=is_stopped(found, reading.stats),
        forgotten_bundles=bundles.total - known if is_old else 0,
        line_of=number_of,
    )


def _add_slots(activity: Activity, reading: JobReading) -> None:
    """How many slots there were: those of each worker, from its first claim to its last record."""
    for worker, (since, until) in reading.totals.active_ms.items():
        activity.slots.add(since, until, reading.slots_of(worker))
