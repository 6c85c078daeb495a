"""When a job is paused because its first tasks all fail."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import UnavailableError
from cloudkon.ledger.results import TaskState
from cloudkon.settings import Settings
from ec2_worker.health.breaker import Streaks
from tests.support.data.recorded import result, row
from tests.support.worlds.threadless_worker import JOB, Bench

OK, FAILED, REJECTED = TaskState.SUCCEEDED, TaskState.FAILED, TaskState.REJECTED


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(settings=Settings(breaker_tasks=4, retries=0))
    yield bench
    bench.ledger.close()


@given(
    st.lists(st.lists(st.sampled_from([OK, FAILED, REJECTED]), min_size=1, max_size=4), max_size=8), st.integers(0, 9)
)
def test_a_streak_is_so_many_tasks_without_a_success(bundles: list[list[TaskState]], tasks: int) -> None:
    """A streak is over exactly when so many tasks have ended and none of them succeeded."""
    streaks = Streaks(tasks)
    seen: list[TaskState] = []
    for states in bundles:
        seen += states
        over = streaks.completed(row([result(state) for state in states]))
        assert over == (0 < tasks <= len(seen) and OK not in seen)


def test_streaks_are_counted_by_job() -> None:
    """The failures of one job are not those of another."""
    streaks = Streaks(2)
    assert not streaks.completed(row([result(FAILED)], job_id="one"))
    assert not streaks.completed(row([result(FAILED)], job_id="two"))
    assert streaks.completed(row([result(FAILED)], job_id="one"))


def test_a_job_of_failures_is_paused(bench: Bench) -> None:
    """A job whose first tasks all fail is paused, and says why and how to go on; what is left is not run."""
    bench.send("fail", "fail")
    bench.send("fail", "fail")
    bench.work()
    assert bench.job.pause_reason == (
        f"the first 4 tasks all failed, the last one with ValueError: boom; go on with: cloudkon-cli resume {JOB}"
    )
    bench.send("fail")
    bench.work()
    assert len(bench.rows) == 2


def test_a_success_settles_it(bench: Bench) -> None:
    """Once a task has succeeded, failures pause nothing."""
    bench.send("pass")
    bench.work()
    bench.send(*["fail"] * 9)
    bench.work()
    assert bench.job.paused_ms is None


def test_a_success_elsewhere_settles_it(bench: Bench) -> None:
    """A worker that only fails where others succeed does not pause the job: it is the sick one."""
    bench.send("pass")
    bench.work()
    bench.worker = bench.another()
    bench.send(*["fail"] * 9)
    bench.work()
    assert bench.job.paused_ms is None


def test_a_resumed_job_is_left_alone(bench: Bench) -> None:
    """Whoever resumes a job has decided: neither this worker nor another pauses it again."""
    bench.send(*["fail"] * 4)
    bench.work()
    bench.ledger.resume(JOB, bench.clock.now_ms())
    bench.clock.advance(5)
    for worker in (bench.worker, bench.another()):
        bench.worker = worker
        bench.send(*["fail"] * 9)
        bench.work()
    assert len(bench.rows) == 3
    assert bench.job.paused_ms is None


def test_a_silent_ledger_is_asked_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that could not be paused is paused with its next bundle; the bundle itself is settled all the same."""

    def silent(*_: object) -> None:
        raise UnavailableError("The ledger is away.")

    with monkeypatch.context() as patch:
        patch.setattr(bench.ledger, "pause", silent)
        bench.send(*["fail"] * 4)
        bench.work()
    assert (bench.job.paused_ms, bench.tasks.depth().in_flight) == (None, 0)
    bench.send("fail")
    bench.work()
    assert "first 5 tasks" in (bench.job.pause_reason or "")
