from collections.abc import Iterator

import pytest

from cli.jobs.following import await_job, follow, follow_all, telling_done
from cloudkon.errors import CloudKonError, DeniedError, UnavailableError
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.reports.stats import JobStats
from tests.support.data.recorded import Recorded, job, report, result, row
from tests.support.manual_clock import ManualClock


class Moving(Recorded):
    """A ledger of which each reading takes some time, and finds what happened since."""

    def __init__(self, clock: ManualClock, reading_s: float, happenings: list[list[BundleRow]]) -> None:
        super().__init__(job(), [], [report(2, bundles=2)])
        self.read_at_s: list[float] = []
        self._clock = clock
        self._reading_s = reading_s
        self._happenings = happenings

    def bundles(self, job: Job) -> Iterator[BundleRow]:
        self.read_at_s.append(self._clock.monotonic_s())
        self._clock.advance(self._reading_s)
        if self._happenings:
            self.rows = self._happenings.pop(0)
        return super().bundles(job)


def unexpected(said: str) -> None:
    raise AssertionError(said)


def never(_stats: JobStats) -> bool:
    return False


class Failing(Moving):
    """A ledger that can't be read for a while."""

    def __init__(self, clock: ManualClock, error: CloudKonError, from_s: float, to_s: float) -> None:
        super().__init__(clock, 0.0, list(HAPPENINGS))
        self._error, self._span_s = error, (from_s, to_s)

    def bundles(self, job: Job) -> Iterator[BundleRow]:
        if self._span_s[0] <= self._clock.monotonic_s() < self._span_s[1]:
            raise self._error
        return super().bundles(job)


FIRST, SECOND = row([result()]), row([result()], number=1)
HELD = row([None], number=1, state=BundleState.LEASED)
HAPPENINGS = [[], [FIRST], [FIRST, HELD], [FIRST, SECOND]]


def test_to_the_end() -> None:
    """Statistics come about every second, until the job has ended, those of its end included."""
    clock = ManualClock()
    ledger = Moving(clock, 0.0, list(HAPPENINGS))
    states = [(stats.state.value, stats.tasks.succeeded) for stats in follow(ledger, job(), clock, unexpected)]
    assert states == [("running", 0), ("running", 1), ("running", 1), ("complete", 2)]
    assert ledger.read_at_s == [0.0, 1.0, 2.0, 3.0]


def test_at_most_a_fifth_of_the_time_is_spent_reading() -> None:
    """No more than a fifth of the time is spent reading."""
    clock = ManualClock()
    ledger = Moving(clock, 2.0, list(HAPPENINGS))
    list(follow(ledger, job(), clock, unexpected))
    assert ledger.read_at_s == [0.0, 10.0, 20.0, 30.0]


def test_a_job_cancelled_meanwhile_has_ended() -> None:
    """A job that somebody cancels has ended."""
    clock = ManualClock()
    ledger = Moving(clock, 0.0, [])
    following = follow(ledger, job(), clock, unexpected)
    assert next(following).state == "running"
    ledger.the_job = job(cancelled_ms=clock.now_ms())
    assert [stats.state for stats in following] == ["cancelled"]


def test_a_job_that_nobody_runs_is_followed_no_longer() -> None:
    """Two readings in a row say so: between the last record and the end of a run's process, one may."""
    clock = ManualClock()
    answers = iter([True, False, True, True, False])
    following = follow(Moving(clock, 0.0, []), job(), clock, unexpected, lambda _: next(answers))
    assert [stats.state.value for stats in following] == ["running"] * 4


def test_each_bundle_is_announced_once_when_it_is_done() -> None:
    """Each bundle's row is told once, when it is first read as done."""
    clock = ManualClock()
    told: list[BundleRow] = []
    ledger = Moving(clock, 0.0, list(HAPPENINGS))
    seen = [list(told) for _ in follow(telling_done(ledger, told.append), job(), clock, unexpected)]
    assert seen == [[], [FIRST], [FIRST], [FIRST, SECOND]]


@pytest.mark.parametrize("error", [DeniedError("Expired."), UnavailableError("No network.")])
def test_credentials_that_expire_on_the_way_end_nothing(error: CloudKonError) -> None:
    """It is told once that the ledger can't be read; when it can be again, the job is followed to its end."""
    clock = ManualClock()
    said: list[str] = []
    states = [stats.state.value for stats in follow(Failing(clock, error, 1.0, 3_000.0), job(), clock, said.append)]
    assert states == ["running", "running", "running", "complete"]
    assert said == [f"{error} The job goes on; asking again for up to an hour.", "The ledger answers again."]


@pytest.mark.parametrize(("from_s", "ends_s"), [(0.0, 0.0), (1.0, 3_601.0)])
def test_a_ledger_that_stays_closed_is_told(from_s: float, ends_s: float) -> None:
    """Who may not read it at all is told at once, who may no longer, after an hour."""
    clock = ManualClock()
    with pytest.raises(DeniedError, match="Expired"):
        list(follow(Failing(clock, DeniedError("Expired."), from_s, 1e9), job(), clock, lambda _: None))
    assert clock.monotonic_s() == ends_s


class Opening(Recorded):
    """A ledger that knows a job from a certain look on."""

    looks = 0
    opened_at = 3

    def job(self, job: str) -> Job | None:
        self.looks += 1
        return super().job(job) if self.looks >= self.opened_at else None


def test_a_job_not_opened_yet_is_waited_for_and_told_once() -> None:
    """A job that is not opened yet is waited for, and that is said once."""
    clock = ManualClock()
    said: list[str] = []
    ledger = Opening(job())
    assert await_job(ledger, "tasks-abc", clock, 30, said.append) == job()
    assert clock.monotonic_s() == 2.0
    assert said == ["Waiting up to 30 s for the dispatcher to open tasks-abc ..."]


def test_await_in_vain() -> None:
    """The wait ends."""
    clock = ManualClock()
    ledger = Opening(None)
    assert await_job(ledger, "tasks-abc", clock, 5, lambda _: None) is None
    assert clock.monotonic_s() == 5.0


def test_without_a_wait_the_answer_comes_at_once() -> None:
    """Without a wait nothing is said, and the answer comes at once."""
    clock = ManualClock()
    said: list[str] = []
    assert await_job(Opening(None), "tasks-abc", clock, 0, said.append) is None
    assert (clock.monotonic_s(), said) == (0.0, [])


def test_several_jobs_are_followed_in_turn_until_all_have_ended() -> None:
    """Each job is read about every second, the one that has ended no more, until the last has ended."""
    clock = ManualClock()
    one, other = Moving(clock, 0.0, [[], [FIRST, SECOND]]), Moving(clock, 0.0, list(HAPPENINGS))
    jobs = [(each, job(), never) for each in (one, other)]
    told = [stats.tasks.succeeded for stats in follow_all(jobs, clock, unexpected)]
    assert told == [0, 0, 2, 1, 1, 2]
    assert [round(at, 1) for at in other.read_at_s] == [0.0, 1.0, 1.5, 2.0]
