from collections.abc import Iterator

from cli.jobs.following import await_job, follow, telling_done
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow, BundleState
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


FIRST, SECOND = row([result()]), row([result()], number=1)
HELD = row([None], number=1, state=BundleState.LEASED)
HAPPENINGS = [[], [FIRST], [FIRST, HELD], [FIRST, SECOND]]


def test_to_the_end() -> None:
    """Statistics come about every second, until the job has ended, those of its end included."""
    clock = ManualClock()
    ledger = Moving(clock, 0.0, list(HAPPENINGS))
    states = [(stats.state.value, stats.tasks.succeeded) for stats in follow(ledger, job(), clock)]
    assert states == [("running", 0), ("running", 1), ("running", 1), ("complete", 2)]
    assert ledger.read_at_s == [0.0, 1.0, 2.0, 3.0]


def test_at_most_a_fifth_of_the_time_is_spent_reading() -> None:
    """No more than a fifth of the time is spent reading."""
    clock = ManualClock()
    ledger = Moving(clock, 2.0, list(HAPPENINGS))
    list(follow(ledger, job(), clock))
    assert ledger.read_at_s == [0.0, 10.0, 20.0, 30.0]


def test_a_job_cancelled_meanwhile_has_ended() -> None:
    """A job that somebody cancels has ended."""
    clock = ManualClock()
    ledger = Moving(clock, 0.0, [])
    following = follow(ledger, job(), clock)
    assert next(following).state == "running"
    ledger.the_job = job(cancelled_ms=clock.now_ms())
    assert [stats.state for stats in following] == ["cancelled"]


def test_each_bundle_is_announced_once_when_it_is_done() -> None:
    """Each bundle's row is told once, when it is first read as done."""
    clock = ManualClock()
    told: list[BundleRow] = []
    ledger = Moving(clock, 0.0, list(HAPPENINGS))
    seen = [list(told) for _ in follow(telling_done(ledger, told.append), job(), clock)]
    assert seen == [[], [FIRST], [FIRST], [FIRST, SECOND]]


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
