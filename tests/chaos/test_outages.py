"""A service is away for a while, for all workers at once."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudkon.errors import NotFoundError, UnavailableError
from cloudkon.ledger.lease import BundleState
from cloudkon.settings import Settings
from tests.support.closable_port import Gate
from tests.support.worlds.worker_world import EMPTY, SteppedWorker, WorkerWorld

BUNDLES, TASKS_EACH = 4, 5
SHORT = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)
STEPS = 120


def gated(port_name: str, gate: Gate) -> Callable[[str, Any], Any]:
    return lambda name, port: gate.before(port) if name == port_name else port


def filled(settings: Settings) -> WorkerWorld:
    world = WorkerWorld(settings)
    for number in range(BUNDLES):
        world.send(*(f"note {number}.{index}" for index in range(TASKS_EACH)), number=number)
    return world


def live_through(world: WorkerWorld, workers: list[SteppedWorker], gate: Gate, begin_s: int, length_s: int) -> None:
    """Let the workers go on, a task a second each, while the gate is shut for so long."""
    started_s = world.clock.monotonic_s()
    for _ in range(STEPS):
        elapsed_s = world.clock.monotonic_s() - started_s
        gate.shut = begin_s <= elapsed_s < begin_s + length_s
        for worker in workers:
            worker.step(1 / len(workers))
    assert not gate.shut


@pytest.mark.parametrize("settings", [Settings(), SHORT], ids=["within a lease", "past the leases"])
@pytest.mark.parametrize("begin_s", [0, 1, 3, 5, 8])
def test_the_ledger_is_unreachable_for_20_s(settings: Settings, begin_s: int) -> None:
    """Work waits for the ledger: every task is recorded once, and none runs twice, be the leases long or short."""
    world, gate = filled(settings), Gate(UnavailableError("The table did not answer."))
    workers = [SteppedWorker(world, name, gated("ledger", gate)) for name in "ab"]
    live_through(world, workers, gate, begin_s, 20)
    world.end_well()
    assert sorted(world.runs) == [f"{number}.{index}" for number in range(BUNDLES) for index in range(TASKS_EACH)]
    assert set(world.runs.values()) == {1}


def test_no_task_starts_once_the_lease_may_have_lapsed() -> None:
    """A worker that can't renew its lease starts nothing more of the bundle, and goes on when it has it anew."""
    world, gate = WorkerWorld(SHORT), Gate(UnavailableError("The table did not answer."))
    world.send("note a", "note b")
    worker = SteppedWorker(world, "a", gated("ledger", gate))
    worker.receive()
    gate.shut = True
    world.clock.advance(SHORT.lease_s - SHORT.guard_s)
    assert not worker.run_one()
    gate.shut = False
    world.end_well()
    assert world.runs == {"a": 1, "b": 1}


def test_the_process_queue_is_missing_for_a_while() -> None:
    """Results are recorded all the same; the messages stay until their completion records have been forwarded."""
    world, gate = filled(SHORT), Gate(NotFoundError("There is no queue process."))
    worker = SteppedWorker(world, "a", gated("process", gate))
    gate.shut = True
    for _ in range(60):
        worker.receive()
        worker.step()
    assert [row.state for row in world.rows().values()] == [BundleState.DONE] * BUNDLES
    assert world.tasks.depth().in_flight == BUNDLES
    assert not world.collect()
    gate.shut = False
    worker.settle()
    assert world.tasks.depth() == EMPTY
    assert set(world.collect().values()) == {1}
    world.end_well()
    assert set(world.runs.values()) == {1}


def test_what_waits_to_be_recorded_is_not_taken_over() -> None:
    """A bundle whose end can't be written for longer than a lease stays its owner's, however often it comes again."""
    world = WorkerWorld(SHORT)
    bundle = world.send("note a", "note b")
    owner, other = SteppedWorker(world, "owner"), SteppedWorker(world, "other")
    owner.receive()
    while owner.run_one():
        pass
    for _ in range(3 * round(SHORT.lease_s)):
        owner.keep()
        world.again(bundle)
        other.receive()
        world.clock.advance(1.0)
    owner.settle()
    world.end_well()
    row = world.row()
    assert row is not None
    assert (row.owners, dict(world.runs)) == (("owner",), {"a": 1, "b": 1})
