"""Workers with all their threads: twenty at once over one queue, and one that is told to stop inside a claim."""

import threading
from typing import Any

import pytest

from cloudkon.clock import SystemClock
from cloudkon.ledger.lease import BundleState, Claim, ClaimAnswer
from cloudkon.settings import Settings
from tests.support.worlds.worker_world import EMPTY, WorkerWorld

WORKERS, BUNDLES, TASKS = 20, 60, 5
QUICK = Settings(poll_s=0.05, report_s=0.2, status_s=0.2)


def test_twenty_workers_at_once_run_each_task_once() -> None:
    """Every bundle comes twice, all workers reach for all of them, and each task runs and is recorded once."""
    world = WorkerWorld(QUICK, clock=SystemClock())
    for number in range(BUNDLES):
        world.again(world.send(*(f"note {number}.{index}" for index in range(TASKS)), number=number))
    workers = [world.build(world.services(), f"w{number}") for number in range(WORKERS)]
    started = threading.Barrier(WORKERS)

    def live(number: int) -> None:
        started.wait()
        workers[number].run(until_idle_s=0.5)

    threads = [threading.Thread(target=live, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.runs) == BUNDLES * TASKS
    assert set(world.runs.values()) == {1}
    assert all(row.attempt == 1 and row.state is BundleState.DONE for row in world.rows().values())
    assert len(world.collect()) == BUNDLES
    assert world.dead_letters.depth() == EMPTY


class HeldUpClaims:
    """A ledger whose claims wait, before they are decided or after, until a test lets them go on."""

    def __init__(self, ledger: Any, *, decides_first: bool) -> None:
        self._ledger = ledger
        self._decides_first = decides_first
        self.entered, self.go_on = threading.Event(), threading.Event()

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._ledger, verb)

    def claim(self, ask: Claim) -> ClaimAnswer:
        answer: ClaimAnswer | None = self._ledger.claim(ask) if self._decides_first else None
        self.entered.set()
        self.go_on.wait()
        return self._ledger.claim(ask) if answer is None else answer

    def claim_all(self, asks: list[Claim]) -> list[ClaimAnswer]:
        return [self.claim(ask) for ask in asks]


@pytest.mark.parametrize("decides_first", [False, True])
@pytest.mark.parametrize("signals", [1, 2])
def test_a_worker_that_is_stopped_inside_a_claim_gives_the_bundle_back(signals: int, decides_first: bool) -> None:  # noqa: FBT001 (a table)
    """SIGTERM comes while the ledger decides a claim: each task runs once, and nothing is held against the bundle."""
    world = WorkerWorld(QUICK, clock=SystemClock())
    held_up = HeldUpClaims(world.ledger, decides_first=decides_first)
    worker = world.build(world.services(lambda name, port: held_up if name == "ledger" else port), "stopped")
    thread = threading.Thread(target=worker.run)
    world.send("note a", "note b")
    thread.start()
    held_up.entered.wait()
    for _ in range(signals):
        worker.drain()
    held_up.go_on.set()
    thread.join()
    row = world.row()
    assert row is None or (row.state is not BundleState.LEASED and row.fruitless <= 1)
    world.build(world.services(), "next").run(until_idle_s=0.2)
    assert world.runs == {"a": 1, "b": 1}
    assert (world.tasks.depth(), world.dead_letters.depth()) == (EMPTY, EMPTY)
    assert world.states() == [BundleState.DONE]
