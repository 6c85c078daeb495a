"""What a worker does with a message that no honest dispatcher sends, or that a changed workload makes it send."""

import json
from dataclasses import replace

from cloudkon.handlers import sleep
from cloudkon.handlers.registry import Registry
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.job import Job, Source
from cloudkon.ledger.lease import BundleState
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.messages.wire import encode_bundle
from cloudkon.settings import Settings
from ec2_worker.services import Surroundings
from ec2_worker.worker import Worker
from tests.support.manual_clock import ManualClock


def test_a_changed_copy_of_a_bundle_is_set_aside() -> None:
    """A copy with other lines than were first claimed is set aside, and the bundle is free for the true one."""
    clock, settings = ManualClock(), Settings()
    ledger = SqliteLedger(None, guard_ms=settings.guard_ms)
    tasks, dead_letters = MemoryQueue(clock), MemoryQueue(clock)
    around = Surroundings(tasks, MemoryQueue(clock), dead_letters, ledger, None, clock)  # type: ignore[arg-type]
    first, second = (Worker(around, Registry([sleep.sleep]), settings, name=name, slots=1) for name in "ab")
    true = Bundle(BundleKey("job", 0, 0), LineNumbers(((1, 2),)), ("sleep 0", "sleep 0"), 1, 1)
    changed = replace(true, lines=LineNumbers(((1, 1),)), tasks=("sleep 0",))

    def take(worker: Worker, bundle: Bundle) -> None:
        tasks.send([encode_bundle(bundle)])
        (delivery,) = tasks.receive(1, 0, settings.visibility_s)
        worker.receiver.take(delivery)

    take(first, true)
    clock.advance(settings.lease_s + 2 * settings.guard_s)
    take(second, changed)
    (letter,) = dead_letters.receive(1, 0, 0)
    assert json.loads(letter.body)["reason"].startswith("The ledger knows job/00000.000000 with 2 tasks")
    assert len(second.keeper.holdings) == 0
    job = Job("job", Source("b", "k", "v", 1), 1, 1, 1, 2, 2, 1)
    (row,) = ledger.bundles(job)
    assert row.state is BundleState.RELEASED
    take(second, true)
    assert len(second.keeper.holdings) == 1
