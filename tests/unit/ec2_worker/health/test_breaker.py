"""When a job is paused because its first tasks all fail."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import UnavailableError
from cloudkon.ledger.results import TaskState
from cloudkon.settings import Settings
from ec2_worker.health.breaker import FirstFailures
from tests.support.data.recorded import result, row
from tests.support.worlds.worker_world import JOB, SteppedWorker, WorkerWorld

OK, FAILED, REJECTED = TaskState.SUCCEEDED, TaskState.FAILED, TaskState.REJECTED


@pytest.fixture
def machine() -> Iterator[SteppedWorker]:
    machine = SteppedWorker(WorkerWorld(Settings(breaker_tasks=4, retries=0)))
    machine.world.open_job()
    yield machine
    machine.world.ledger.close()


@given(
    st.lists(st.lists(st.sampled_from([OK, FAILED, REJECTED]), min_size=1, max_size=4), max_size=8), st.integers(0, 9)
)
def test_a_streak_is_so_many_tasks_without_a_success(bundles: list[list[TaskState]], tasks: int) -> None:
    """A streak is over exactly when so many tasks have ended and none of them succeeded."""
    streaks = FirstFailures(tasks)
    seen: list[TaskState] = []
    for states in bundles:
        seen += states
        over = streaks.completed(row([result(state) for state in states]))
        assert over == (0 < tasks <= len(seen) and OK not in seen)


def test_streaks_are_counted_by_job() -> None:
    """The failures of one job are not those of another."""
    streaks = FirstFailures(2)
    assert not streaks.completed(row([result(FAILED)], job_id="one"))
    assert not streaks.completed(row([result(FAILED)], job_id="two"))
    assert streaks.completed(row([result(FAILED)], job_id="one"))


def test_a_job_of_failures_is_paused(machine: SteppedWorker) -> None:
    """A job whose first tasks all fail is paused, and says why and how to go on; what is left is not run."""
    machine.world.send("fail", "fail")
    machine.world.send("fail", "fail")
    machine.work()
    assert machine.world.job.pause_reason == (
        f"the first 4 tasks all failed, the last one with ValueError: boom; go on with: cloudkon-cli resume {JOB}"
    )
    machine.world.send("fail")
    machine.work()
    assert len(machine.world.rows()) == 2


def test_a_success_settles_it(machine: SteppedWorker) -> None:
    """Once a task has succeeded, failures pause nothing."""
    machine.world.send("pass")
    machine.work()
    machine.world.send(*["fail"] * 9)
    machine.work()
    assert machine.world.job.paused_ms is None


def test_a_success_elsewhere_settles_it(machine: SteppedWorker) -> None:
    """A worker that only fails where others succeed does not pause the job: it is the sick one."""
    machine.world.send("pass")
    machine.work()
    machine = SteppedWorker(machine.world, "w2")
    machine.world.send(*["fail"] * 9)
    machine.work()
    assert machine.world.job.paused_ms is None


def test_a_resumed_job_is_left_alone(machine: SteppedWorker) -> None:
    """Whoever resumes a job has decided: neither this worker nor another pauses it again."""
    machine.world.send(*["fail"] * 4)
    machine.work()
    machine.world.ledger.resume(JOB, machine.world.clock.now_ms())
    machine.world.clock.advance(5)
    for worker in (machine, SteppedWorker(machine.world, "w2")):
        machine.world.send(*["fail"] * 9)
        worker.work()
    assert len(machine.world.rows()) == 3
    assert machine.world.job.paused_ms is None


def test_a_silent_ledger_is_asked_again(machine: SteppedWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that could not be paused is paused with its next bundle; the bundle itself is settled all the same."""

    def silent(*_: object) -> None:
        raise UnavailableError("The ledger is away.")

    with monkeypatch.context() as patch:
        patch.setattr(machine.world.ledger, "pause", silent)
        machine.world.send(*["fail"] * 4)
        machine.work()
    assert (machine.world.job.paused_ms, machine.world.tasks.depth().in_flight) == (None, 0)
    machine.world.send("fail")
    machine.work()
    assert "first 5 tasks" in (machine.world.job.pause_reason or "")
