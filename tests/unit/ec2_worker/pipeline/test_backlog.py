"""The bundles that wait for a slot: which one a slot gets next, who is woken by them, and who is not."""

import queue
import resource
import threading
from collections import Counter
from typing import Self

import pytest

from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.lease import Lease, Mark
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.settings import Settings
from ec2_worker.pipeline.backlog import Backlog
from ec2_worker.pipeline.in_flight import InFlightBundle
from tests.support.waiting import eventually
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

_FAR_S = 1e9
OWN = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)


def bundle(number: int, *, tasks: int = 1, mark: Mark | None = None) -> InFlightBundle:
    key = BundleKey("job", 0, number)
    lines = ("note x",) * tasks
    lease = Lease(key, "w1", 1, f"t{number}", 0, 0, 0, fruitless=1 if mark is None else 2, mark=mark)
    return InFlightBundle(
        Bundle(key, LineNumbers.of(range(1, 1 + tasks)), lines, 0, 0),
        lease,
        (None,) * tasks,
        f"r{number}",
        received_ms=0,
        lease_ends_s=_FAR_S,
        hidden_until_s=_FAR_S,
        now_s=0.0,
    )


class Draining:
    """Slots that take tasks as they come, and do nothing with them."""

    def __init__(self, backlog: Backlog, slots: int) -> None:
        self.backlog = backlog
        self.taken: Counter[tuple[int, int]] = Counter()
        self.ended = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(slots)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        eventually(self.all_idle)
        return self

    def __exit__(self, *_: object) -> None:
        self.backlog.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a slot was not told that the backlog is closed"

    def all_idle(self) -> bool:
        """All slots to wait for work"""
        return self.backlog.busy == 0

    def _run(self) -> None:
        while (taken := self.backlog.next()) is not None:
            for index in taken.remaining:
                with self._lock:
                    self.taken[taken.message.key.number, index] += 1
                self.ended.release()


@pytest.mark.parametrize("slots", [1, 4, 64])
def test_every_task_goes_to_one_slot(slots: int) -> None:
    """However many slots wait, each task of each bundle is taken once, and none is left lying."""
    backlog = Backlog(slots, 1.0)
    with Draining(backlog, slots) as draining:
        for number in range(50):
            backlog.add(bundle(number, tasks=1 + number % 3))
        for _ in range(sum(1 + number % 3 for number in range(50))):
            assert draining.ended.acquire(timeout=10), "a task was left lying"
    assert set(draining.taken.values()) == {1}


def test_a_bundle_wakes_the_slots_that_it_needs_and_no_others() -> None:
    """With 64 idle slots a bundle of one task costs a few context switches, not one or two for each slot."""
    backlog = Backlog(64, 1.0)
    bundles = 200
    with Draining(backlog, 64) as draining:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
        for number in range(bundles):
            backlog.add(bundle(number))
            assert draining.ended.acquire(timeout=10)
        switches = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before
    assert switches / bundles < 16


def test_the_receiver_is_woken_when_more_is_wanted() -> None:
    """A receiver that waits is told as soon as a slot has nothing to do, and when the backlog is closed."""
    backlog = Backlog(1, 1.0)
    backlog.add(bundle(1))
    told: list[int] = []
    receiver = threading.Thread(target=lambda: told.append(backlog.wait_until_wanted(60.0)))
    receiver.start()
    with Draining(backlog, 1):
        receiver.join(10)
        assert told == [1]
        last = threading.Thread(target=lambda: told.append(backlog.wait_until_wanted(60.0)))
    last.start()
    last.join(10)
    assert told == [1, 0]


def test_slots_share_a_bundle() -> None:
    """A bundle with tasks left is every slot's next one."""
    world = WorkerWorld(OWN)
    world.send("note a", "note b")
    machine = SteppedWorker(world)
    machine.receive()
    backlog = machine.worker.backlog
    (bundle,) = machine.holds()
    assert [backlog.next(), backlog.next()] == [bundle, bundle]


def test_a_bundle_whose_last_worker_died_is_one_slots_alone() -> None:
    """Its tasks run one by one, each under a mark: a second slot gets the bundle behind it."""
    world = WorkerWorld(OWN)
    world.send("note a", "note b")
    SteppedWorker(world, "the-dead").receive()
    world.clock.advance(OWN.visibility_s)
    machine = SteppedWorker(world, "the-next")
    machine.receive()
    world.send("note c")
    machine.receive()
    careful, other = machine.holds()
    assert (careful.careful, other.careful) == (True, False)
    assert [machine.worker.backlog.next(), machine.worker.backlog.next()] == [careful, other]


def test_a_suspect_waits_until_every_slot_is_idle_and_is_run_alone() -> None:
    """Nothing runs beside a task that a worker died of before, and nothing more is received for that while."""
    backlog = Backlog(2, 1.0)
    suspect, before, after = bundle(1, tasks=2, mark=Mark(0, 1)), bundle(2), bundle(3)
    taken: queue.SimpleQueue[InFlightBundle | None] = queue.SimpleQueue()
    slot = threading.Thread(target=lambda: taken.put(backlog.next()))
    backlog.add(suspect)
    backlog.add(before)
    assert backlog.wait_until_wanted(0.0) == 0
    assert backlog.next() is before, "what else is held comes first"
    next(before.remaining)
    slot.start()
    eventually(lambda: backlog.busy == 1)
    assert taken.empty(), "the other slot still runs something"
    assert (backlog.next(), next(suspect.remaining)) == (suspect, 0)
    backlog.add(after)
    assert backlog.wait_until_wanted(0.0) == 0
    assert taken.empty()
    backlog.suspect_ended()
    assert taken.get(timeout=10) is after
    slot.join(10)
    backlog.close()


def test_a_marked_task_that_has_ended_makes_no_suspect() -> None:
    """The mark stays in the ledger until the next one is set; its task's result tells that nobody died of it."""
    backlog = Backlog(2, 1.0)
    careful = bundle(1, tasks=2, mark=Mark(0, 1))
    careful.results[0] = TaskResult(TaskState.SUCCEEDED, 0, 0, 1)
    other = bundle(2)
    backlog.add(careful)
    backlog.add(other)
    assert [backlog.next(), backlog.next()] == [careful, other], "as any two bundles"


def test_a_slot_that_is_lost_keeps_no_other_idle() -> None:
    """The slots that stayed idle for a task of several slots go on when the slot that ran it is given up."""
    backlog, wide, others = Backlog(2, 1.0), bundle(0), bundle(1)
    wide.task_slots = 2
    taken: queue.Queue[InFlightBundle | None] = queue.Queue()

    def take_one() -> None:
        found = backlog.next()
        if found is not None:
            next(found.remaining)
        taken.put(found)

    slots = [threading.Thread(target=take_one) for _ in range(2)]
    for slot in slots:
        slot.start()
    backlog.add(wide)
    assert taken.get(timeout=60) is wide
    backlog.add(others)
    assert backlog.busy == 2
    assert taken.empty()
    backlog.lost(wide)
    assert taken.get(timeout=60) is others
    for slot in slots:
        slot.join(60)
