"""What a worker does with a message that no honest dispatcher sends, or that a changed workload makes it send."""

import json
from dataclasses import replace

from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.lease import BundleState
from cloudkon.messages.seal import seal
from cloudkon.messages.wire import encode_bundle
from tests.support.data import rows
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


def test_a_forged_bundle_is_set_aside_and_sets_no_result() -> None:
    """A message that the dispatcher did not seal is never claimed, whatever place in the job it names."""
    world = WorkerWorld()
    key = "00112233445566778899aabbccddeeff"
    world.ledger.open(replace(rows.job(), seal_key=key))
    worker = SteppedWorker(world, "a")
    world.send("note forged")
    forged = world.send("note forged as well", number=7)
    world.again(replace(forged, seal=seal(forged, "another key")))
    for _ in range(3):
        worker.receive()
    assert not worker.holds()
    assert not world.rows()
    letters = world.dead_letters.receive(10, 0, 0)
    assert len(letters) == 3
    assert all("was not sent by the dispatcher" in json.loads(letter.body)["reason"] for letter in letters)
    true = replace(forged, tasks=("note true",))
    world.tasks.send([encode_bundle(replace(true, seal=seal(true, key)))])
    worker.receive()
    assert len(worker.holds()) == 1


def test_a_bundle_of_an_unknown_job_is_set_aside() -> None:
    """A message that names a job which the ledger does not know is never claimed."""
    world = WorkerWorld()
    worker = SteppedWorker(world, "a")
    lost = Bundle(BundleKey("no-such-job", 0, 0), LineNumbers.of([1]), ("note x",), 0, 0)
    world.tasks.send([encode_bundle(lost)])
    worker.receive()
    assert not worker.holds()
    (letter,) = world.dead_letters.receive(1, 0, 0)
    assert json.loads(letter.body)["reason"] == "There is no job no-such-job in the ledger."
