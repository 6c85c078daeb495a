"""A service is away for a while, for all workers at once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudkon.errors import CloudKonError, DeniedError, NotFoundError, UnavailableError
from cloudkon.handlers.context import context
from cloudkon.handlers.registry import task
from cloudkon.ledger.lease import BundleState
from cloudkon.ledger.results import MAX_VALUE_BYTES, TaskState
from cloudkon.local.store import FolderStore
from cloudkon.settings import Settings
from tests.support.closable_port import Gate
from tests.support.worlds.worker_world import EMPTY, SteppedWorker, WorkerWorld

BUNDLES, TASKS_EACH = 4, 5
SHORT = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)
STEPS = 160


@task("big")
def big(_: str) -> str:
    return "x" * (MAX_VALUE_BYTES + 1)


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


STORE_ERRORS = [
    UnavailableError("S3 did not answer."),
    DeniedError("S3 refuses s3:PutObject."),
    NotFoundError("There is no bucket results."),
]


@pytest.mark.parametrize("error", STORE_ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("crashed", [False, True], ids=["at first", "after a crash"])
def test_a_store_that_fails_costs_no_lease_and_no_strike(
    error: CloudKonError, *, crashed: bool, tmp_path: Path
) -> None:
    """While values can't be stored, leases are renewed and the rest is recorded: nothing runs again, nothing fails."""
    world, gate = WorkerWorld(SHORT, big, store=FolderStore(tmp_path)), Gate(error)
    for number in range(2):
        world.send(f"note {number}.a", f"big {number}.b", f"note {number}.c", f"big {number}.d", number=number)
    if crashed:
        SteppedWorker(world, "the-dead").receive()
        world.clock.advance(SHORT.visibility_s)
    workers = [SteppedWorker(world, name, gated("results", gate)) for name in "ab"]
    live_through(world, workers, gate, 0, 10 * round(SHORT.lease_s))
    world.end_well()
    assert set(world.runs.values()) == {1}
    for number in range(2):
        keys = [result.output for result in world.results(number) if result.output is not None]
        assert len(keys) == 2
        assert all(world.store.size_bytes(key) > MAX_VALUE_BYTES for key in keys)
        row = world.row(number)
        assert row is not None
        assert len(row.owners) == 1 + crashed


def test_what_fits_is_recorded_while_values_cannot_be_stored(tmp_path: Path) -> None:
    """A worker that dies while the store is away leaves the results that the ledger could hold."""
    world, gate = WorkerWorld(SHORT, big, store=FolderStore(tmp_path)), Gate(UnavailableError("S3 did not answer."))
    world.send("note a", "big b", "note c")
    gate.shut = True
    worker = SteppedWorker(world, "the-first", gated("results", gate))
    for _ in range(5):
        worker.step()
    row = world.row()
    assert row is not None
    assert [result is not None for result in row.results] == [True, False, True]
    world.clock.advance(SHORT.visibility_s)
    world.end_well()
    assert world.runs == {"a": 1, "c": 1}


def test_a_drain_does_not_wait_for_a_store(tmp_path: Path) -> None:
    """A worker that leaves while values can't be stored gives its bundle back with all the rest."""
    world, gate = WorkerWorld(SHORT, big, store=FolderStore(tmp_path)), Gate(UnavailableError("S3 did not answer."))
    world.send("note a", "big b", "note c")
    gate.shut = True
    worker = SteppedWorker(world, "the-first", gated("results", gate))
    worker.receive()
    worker.run_one()
    worker.run_one()
    worker.give_back()
    row = world.row()
    assert row is not None
    assert (row.state, [result is not None for result in row.results]) == (BundleState.RELEASED, [True, False, False])
    world.end_well()
    assert world.runs == {"a": 1, "c": 1}


@task("keep")
def keep(what: str) -> None:
    context().store(f"{what}.txt", b"kept")


@task("bytes")
def returns_bytes(_: str) -> bytes:
    return b"returned"


def test_a_store_that_does_not_answer_uses_up_no_tries(tmp_path: Path) -> None:
    """Tasks whose files can't be stored for a while are run again until they are, however few their tries are."""
    world = WorkerWorld(replace(SHORT, retries=0), keep, returns_bytes, store=FolderStore(tmp_path))
    gate = Gate(UnavailableError("S3 did not answer."))
    world.send("keep a", "bytes b", "fail")
    worker = SteppedWorker(world, "a", gated("results", gate))
    live_through(world, [worker], gate, 0, 100)
    worker = SteppedWorker(world, "b")
    for _ in range(1_000):
        worker.step()
    kept, returned, failed = world.results()
    assert (kept.state, returned.state) == (TaskState.SUCCEEDED, TaskState.SUCCEEDED)
    assert kept.runs > 1
    assert (failed.state, failed.runs, failed.error) == (TaskState.FAILED, 1, "ValueError: boom")


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
