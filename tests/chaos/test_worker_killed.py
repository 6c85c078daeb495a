"""A worker is killed at every point of what it does; the points are those that a healthy worker passes."""

from collections.abc import Callable

import pytest

from cloudkon.settings import Settings
from tests.support.tripwire import Killed, Point, Tripwire, points
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

SETTINGS = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)
PAST_VISIBILITY_S = SETTINGS.visibility_s + 1


def work(world: WorkerWorld, worker: SteppedWorker) -> None:
    """Receive, ask whether the job is to run, claim, run, checkpoint, run, complete, forward, delete."""
    world.send("note a", "note b")
    worker.receive()
    worker.run_one()
    world.clock.advance(SETTINGS.checkpoint_s)
    worker.keep()
    worker.run_one()
    worker.settle()


def hold_on(world: WorkerWorld, worker: SteppedWorker) -> None:
    """A long task: the lease is renewed, the message hidden anew, the counters reported, before anything ends."""
    world.send("note a", "note b")
    worker.receive()
    for _ in range(4):
        world.clock.advance(SETTINGS.heartbeat_s)
        worker.keep()
    worker.run_one()
    worker.run_one()
    worker.settle()


def drain(world: WorkerWorld, worker: SteppedWorker) -> None:
    """Release what was begun, and show its message again."""
    world.send("note a", "note b")
    worker.receive()
    worker.run_one()
    worker.give_back()


def retry(world: WorkerWorld, worker: SteppedWorker) -> None:
    """Release a bundle whose task failed, hide its message for the wait, and run it again."""
    world.send("note a", "stumble b")
    worker.receive()
    worker.run_one()
    worker.run_one()
    worker.settle()
    world.clock.advance(SETTINGS.retry_base_s)
    worker.receive()
    worker.run_one()
    worker.settle()


def take_over(world: WorkerWorld, worker: SteppedWorker) -> None:
    """Carefully run what a dead worker had begun: a mark before each task."""
    world.send("note a", "note b")
    SteppedWorker(world, "the-dead").receive()
    world.clock.advance(PAST_VISIBILITY_S)
    worker.receive()
    worker.run_one()
    worker.run_one()
    worker.settle()


def drop_a_duplicate(world: WorkerWorld, worker: SteppedWorker) -> None:
    """Forward the record of what is done already, and delete the message."""
    bundle = world.send("note a", "note b")
    world.end_well()
    world.again(bundle)
    worker.receive()
    worker.settle()


Life = Callable[[WorkerWorld, SteppedWorker], None]
LIVES: list[Life] = [work, hold_on, drain, retry, take_over, drop_a_duplicate]
SEQUENCES: dict[Life, str] = {
    work: "tasks.receive ledger.job ledger.claim task.run ledger.checkpoint task.run "
    "ledger.complete process.send tasks.delete",
    drain: "tasks.receive ledger.job ledger.claim task.run ledger.release tasks.hide",
    drop_a_duplicate: "tasks.receive ledger.job ledger.claim process.send tasks.delete",
}


def calls_of(life: Life) -> list[str]:
    wire = Tripwire()
    world = WorkerWorld(SETTINGS)
    life(world, SteppedWorker(world, "healthy", wire.wired))
    return wire.calls


CASES = [(life, point) for life in LIVES for point in points(calls_of(life))]


@pytest.mark.parametrize("life", SEQUENCES, ids=lambda life: life.__name__)
def test_the_order_of_things(life: Life) -> None:
    """A worker does these things in this order: a message is deleted last, when the record stands and is told."""
    reports = {"ledger.report_worker"}
    assert [call for call in calls_of(life) if call not in reports] == SEQUENCES[life].split()


@pytest.mark.parametrize(("life", "point"), CASES, ids=[f"{life.__name__}: {point}" for life, point in CASES])
def test_a_worker_that_is_killed_loses_nothing(life: Life, point: Point) -> None:
    """Wherever a worker dies, the next one ends its work: each task recorded once, none failed, no result run again."""
    world, wire = WorkerWorld(SETTINGS), Tripwire(point)
    with pytest.raises(Killed):
        life(world, SteppedWorker(world, "the-victim", wire.wired))
    row = world.row()
    done = () if row is None else [result for result in row.results if result is not None and result.is_final]
    runs = dict(world.runs)
    world.clock.advance(PAST_VISIBILITY_S)
    world.end_well()
    stumbles = life is retry and "b" not in runs
    ran_after = sum(world.runs.values()) - sum(runs.values())
    assert ran_after == 2 - len(done) + stumbles, "what was recorded ran again, or what was not did not run"
    assert max(world.runs.values()) <= 2 + (life is retry)


def test_what_was_checkpointed_is_not_run_again() -> None:
    """A worker that dies after a checkpoint has its task run once, and the one that it had in hand again."""
    world = WorkerWorld(SETTINGS)
    with pytest.raises(Killed):
        work(world, SteppedWorker(world, "the-victim", Tripwire(Point("task.run", 2, after=True)).wired))
    world.clock.advance(PAST_VISIBILITY_S)
    world.end_well()
    assert world.runs == {"a": 1, "b": 2}
