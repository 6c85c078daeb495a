"""What becomes of bundles in a worker's hands when their job is cancelled."""

from collections.abc import Iterator

import pytest

from cloudkon.ledger.lease import BundleState
from cloudkon.local.queue import Depth
from ec2_worker.pipeline.admission import KNOWN_S
from tests.support.data.rows import succeeded
from tests.support.worlds.worker_world import JOB, SteppedWorker, WorkerWorld


@pytest.fixture
def machine() -> Iterator[SteppedWorker]:
    machine = SteppedWorker(WorkerWorld())
    machine.world.open_job()
    yield machine
    machine.world.ledger.close()


def cancel(machine: SteppedWorker) -> None:
    machine.world.ledger.cancel(JOB, machine.world.clock.now_ms())
    machine.world.clock.advance(KNOWN_S)


def test_what_waits_is_not_begun(machine: SteppedWorker) -> None:
    """Of a held bundle, the task that was begun is recorded, the others are not begun, and its message goes."""
    machine.world.send("pass", "pass", "pass")
    machine.receive(10)
    (held,) = machine.holds()
    begun = next(held.remaining)
    cancel(machine)
    machine.worker.canceller.tick()
    machine.run_one()
    assert machine.world.states()[0] is BundleState.LEASED, "a task of it runs"
    held.put(begun, succeeded())
    machine.worker.canceller.tick()
    (row,) = machine.world.rows().values()
    assert row.state is BundleState.RELEASED
    assert [result is not None for result in row.results] == [True, False, False]
    machine.receive(10)
    assert (machine.world.tasks.depth(), list(machine.world.rows().values())) == (Depth(0, 0), [row])


def test_a_bundle_whose_last_task_runs_is_completed(machine: SteppedWorker) -> None:
    """A bundle without a task that waits ends as ever."""
    machine.world.send("pass")
    machine.receive(10)
    (held,) = machine.holds()
    begun = next(held.remaining)
    cancel(machine)
    machine.worker.canceller.tick()
    assert held.put(begun, succeeded())
    machine.worker.slots.finish(held)
    machine.worker.canceller.tick()
    machine.settle()
    assert machine.world.states() == [BundleState.DONE]


def test_other_jobs_go_on(machine: SteppedWorker) -> None:
    """What is held of another job, or of a paused one, runs to its end."""
    machine.world.send("pass", "pass")
    machine.world.send("pass", "pass", job="another")
    machine.receive(10)
    machine.world.ledger.pause(JOB, "lunch", machine.world.clock.now_ms())
    machine.world.clock.advance(KNOWN_S)
    machine.worker.canceller.tick()
    assert [held.waiting for held in machine.worker.in_flight.all()] == [2, 2]


def test_a_retry_that_runs_is_waited_for(machine: SteppedWorker) -> None:
    """A task that failed before and runs again has not ended by its earlier failure."""
    machine.world.send("fail", "fail")
    machine.work()
    machine.world.clock.advance(60)
    machine.receive(10)
    (held,) = machine.holds()
    begun = next(held.remaining)
    cancel(machine)
    machine.worker.canceller.tick()
    assert machine.world.states() == [BundleState.LEASED], "its second run goes on"
    held.put(begun, succeeded(attempt=2))
    machine.worker.canceller.tick()
    assert machine.world.states() == [BundleState.RELEASED]
