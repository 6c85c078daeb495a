"""Large values on their way to the object store."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudkon.errors import UnavailableError
from cloudkon.handlers.registry import task
from cloudkon.ledger.results import MAX_VALUE_BYTES
from cloudkon.local.store import FolderStore
from cloudkon.settings import Settings
from ec2_worker.health.health import Health, Signs
from tests.support.closable_port import Gate
from tests.support.tripwire import Tripwire
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

OWN = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)


@task("big")
def big(_: str) -> str:
    return "x" * (MAX_VALUE_BYTES + 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WorkerWorld]:
    world = WorkerWorld(OWN, big, store=FolderStore(tmp_path))
    yield world
    world.ledger.close()


def test_a_value_is_stored_once_however_often_its_result_is_written(world: WorkerWorld) -> None:
    """A ledger that fails after the value was stored does not have it stored again."""
    wire, gate = Tripwire(), Gate(UnavailableError("The table did not answer."))

    def wrap(name: str, port: Any) -> Any:
        return wire.wired(name, port) if name == "results" else gate.before(port) if name == "ledger" else port

    world.send("big a", "note b", "note c")
    machine = SteppedWorker(world, wrap=wrap)
    machine.receive()
    machine.run_one()
    gate.shut = True
    for _ in range(5):
        world.clock.advance(1.0)
        machine.keep()
    gate.shut = False
    for _ in range(5):
        machine.step()
    assert wire.calls == ["results.write"]
    assert [result.output is not None for result in world.results()] == [True, False, False]


def test_a_store_that_fails_is_left_alone_for_longer_and_longer(world: WorkerWorld) -> None:
    """A minute without a store costs some ten tries for all bundles together, and no more checkpoints than before."""
    store, ledger, gate = Tripwire(), Tripwire(), Gate(UnavailableError("S3 did not answer."))
    for number in range(2):
        world.send("big a", "note b", "note c", number=number)

    def wrap(name: str, port: Any) -> Any:
        if name == "results":
            return store.wired(name, gate.before(port))
        return ledger.wired(name, port) if name == "ledger" else port

    machine = SteppedWorker(world, wrap=wrap)
    machine.worker.values.backoff.uniform = lambda _, bound: bound
    gate.shut = True
    machine.receive()
    machine.run_one()
    for _ in range(240):
        world.clock.advance(0.25)
        machine.keep()
    assert 5 <= store.calls.count("results.write") <= 12
    assert ledger.calls.count("ledger.checkpoint") <= 2 * (60 / OWN.heartbeat_s + 1)
    gate.shut = False
    world.clock.advance(OWN.lease_s)
    world.end_well()


def test_a_worker_whose_values_cannot_be_stored_is_sick() -> None:
    """It receives nothing, with the store's own words as the reason, once it has had patience."""
    health = Health(OWN)
    health.look(Signs(10**12, store_failing_s=OWN.ledger_patience_s, store_failure="S3 refuses"), 0.0)
    assert health.reason == ""
    health.look(Signs(10**12, store_failing_s=OWN.ledger_patience_s + 1, store_failure="S3 refuses s3:PutObject."), 1.0)
    assert health.reason == "values could not be stored for 31 s: S3 refuses s3:PutObject."


def test_who_was_fenced_off_overwrites_no_value(world: WorkerWorld) -> None:
    """Of two workers that ran a task, the completion names the value of the one that held the lease."""

    @task("whose")
    def whose(_: str) -> str:
        world.runs["whose"] += 1
        return str(world.runs["whose"]) * (MAX_VALUE_BYTES + 1)

    world.handlers.append(whose)
    world.send("whose a")
    late, quick = SteppedWorker(world, "late"), SteppedWorker(world, "quick")
    late.receive()
    late.run_one()
    world.clock.advance(OWN.visibility_s + 1)
    quick.receive()
    quick.run_one()
    quick.settle()
    late.keep()
    late.settle()
    (result,) = world.results()
    assert result.output is not None
    assert json.loads(b"".join(world.store.read(result.output))) == "2" * (MAX_VALUE_BYTES + 1)
