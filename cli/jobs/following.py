"""Follows a job to its end by reading its ledger again and again."""

from collections.abc import Callable, Iterator, Sequence

from cloudkon.clock import Clock
from cloudkon.errors import DeniedError, UnavailableError
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ports import History, LedgerReader
from cloudkon.reports.observed import ObservedLedger
from cloudkon.reports.stats import JobStats, job_stats

_POLL_S = 1.0
_PATIENCE_S = 3_600.0
_ASK_AGAIN_S = 5.0
_REST = 4
"""How much longer to rest than the last reading took: no more than a fifth of the time is spent reading."""


def _nothing_stops(_stats: JobStats) -> bool:
    return False


def follow(
    reader: LedgerReader,
    job: Job,
    clock: Clock,
    tell: Callable[[str], None],
    has_stopped: Callable[[JobStats], bool] = _nothing_stops,
) -> Iterator[JobStats]:
    """Yield the job's statistics, about every second, until it has ended; the last ones are final.

    It ends as well when has_stopped is true of two readings in a row: nobody runs the job any more.

    Once it has been read, a ledger that can't be read is told and asked again, for up to an hour: the job goes on
    whatever becomes of our network, or of credentials that expire before it ends.
    """
    failing_since_s: float | None = None
    was_read, stopped = False, 0
    while True:
        began_s = clock.monotonic_s()
        try:
            job = reader.job(job.id) or job  # somebody may have cancelled it
            stats = job_stats(reader, job, clock.now_ms())
        except (DeniedError, UnavailableError) as error:
            if failing_since_s is None:
                failing_since_s = began_s
                if was_read:
                    tell(f"{error} The job goes on; asking again for up to an hour.")
            if not was_read or began_s - failing_since_s >= _PATIENCE_S:
                raise
            clock.sleep(_ASK_AGAIN_S)
            continue
        if failing_since_s is not None:
            tell("The ledger answers again.")
        was_read, failing_since_s = True, None
        took_s = clock.monotonic_s() - began_s
        yield stats
        stopped = stopped + 1 if not stats.ended and has_stopped(stats) else 0
        if stats.ended or stopped > 1:
            return
        clock.sleep(max(_POLL_S, _REST * took_s))


def follow_all(
    jobs: Sequence[tuple[LedgerReader, Job, Callable[[JobStats], bool]]], clock: Clock, tell: Callable[[str], None]
) -> Iterator[JobStats]:
    """Yield the statistics of several jobs in turn, each about every second, until all have ended or stopped."""
    left = [follow(reader, job, _SharedClock(clock, len(jobs)), tell, stopped) for reader, job, stopped in jobs]
    while left:
        for each in list(left):
            stats = next(each, None)
            if stats is None:
                left.remove(each)
            else:
                yield stats


class _SharedClock:
    """A clock by whose rests several take turns: each rests its part."""

    def __init__(self, clock: Clock, parts: int) -> None:
        self._clock = clock
        self._parts = parts

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def monotonic_s(self) -> float:
        return self._clock.monotonic_s()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds / self._parts)


def await_job(history: History, job_id: str, clock: Clock, wait_s: float, tell: Callable[[str], None]) -> Job | None:
    """Wait up to wait_s for a job that was submitted but not opened yet; None if it did not come."""
    ends_s = clock.monotonic_s() + wait_s
    told = False
    while (job := history.job(job_id)) is None and clock.monotonic_s() < ends_s:
        if not told:
            tell(f"Waiting up to {wait_s:g} s for the dispatcher to open {job_id} ...")
            told = True
        clock.sleep(_POLL_S)
    return job


def telling_done(reader: LedgerReader, tell: Callable[[BundleRow], None]) -> LedgerReader:
    """A reader that tells each bundle's row once, when it is first read as done."""
    told: set[str] = set()

    def observe(row: BundleRow) -> None:
        if row.state is BundleState.DONE and str(row.key) not in told:
            told.add(str(row.key))
            tell(row)

    return ObservedLedger(reader, observe)
