"""What a worker does with a message that no honest dispatcher sends, or that a changed workload makes it send."""

import json
from dataclasses import replace

from cloudkon.ledger.bundle import LineNumbers
from cloudkon.ledger.lease import BundleState
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld


def test_a_changed_copy_of_a_bundle_is_set_aside() -> None:
    """A copy with other lines than were first claimed is set aside, and the bundle is free for the true one."""
    world = WorkerWorld()
    first, second = SteppedWorker(world, "a"), SteppedWorker(world, "b")
    true = world.send("pass", "pass")
    first.receive()
    world.clock.advance(world.settings.lease_s + 2 * world.settings.guard_s)
    changed = replace(true, lines=LineNumbers(((1, 1),)), tasks=("pass",))
    world.again(changed)
    second.receive()
    (letter,) = world.dead_letters.receive(1, 0, 0)
    assert json.loads(letter.body)["reason"].startswith(f"The ledger knows {true.key} with 2 tasks")
    assert not second.holds()
    assert world.states() == [BundleState.RELEASED]
    world.again(true)
    second.receive()
    assert len(second.holds()) == 1
