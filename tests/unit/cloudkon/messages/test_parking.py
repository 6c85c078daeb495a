"""What a resume finds on the parked queue, and what it waits for."""

from collections.abc import Iterator, Sequence

import pytest

from cloudkon.local.queue import Depth, MemoryQueue
from cloudkon.messages.parking import ParkedMessages
from cloudkon.ports import Delivery
from tests.support.manual_clock import ManualClock
from tests.support.worlds.worker_world import JOB, WorkerWorld


@pytest.fixture
def world() -> Iterator[WorkerWorld]:
    """One whose messages are sent to a queue that is taken for the parked one here."""
    world = WorkerWorld()
    yield world
    world.ledger.close()


def test_what_an_ended_resume_held_is_waited_for(world: WorkerWorld) -> None:
    """A resume that was killed hides messages for half a minute; the next says so, waits, and brings all back."""
    parked, tasks = world.tasks, MemoryQueue(world.clock)
    for _ in range(25):
        world.send("pass")
    assert len(parked.receive(10, 0.0, 30.0)) == 10  # whoever has these is killed
    told: list[int] = []
    resume = ParkedMessages(parked, world.clock, 0, lambda: parked.depth().in_flight, told.append)
    assert resume.bring_back(JOB, tasks) == 25
    assert (tasks.depth(), parked.depth(), told) == (Depth(25, 0), Depth(0, 0), [10])


def test_what_somebody_holds_for_long_is_not_waited_for_forever(world: WorkerWorld) -> None:
    """Messages that another command keeps are given up after about half a minute."""
    parked, begun_s = world.tasks, world.clock.monotonic_s()
    world.send("pass")
    parked.receive(10, 0.0, 3_600.0)
    resume = ParkedMessages(parked, world.clock, 0, lambda: parked.depth().in_flight)
    assert resume.bring_back(JOB, MemoryQueue(world.clock)) == 0
    assert 30 < world.clock.monotonic_s() - begun_s < 40


class SlowQueue(MemoryQueue):
    """Each receive takes so long that what an earlier one has hidden is visible again."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.receives = 0
        self._time = clock

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        self.receives += 1
        assert self.receives < 100, "it would never end"
        self._time.advance(visibility_s + 1)
        return super().receive(count, wait_s, visibility_s)


def test_messages_of_others_that_come_again_end_a_resume(world: WorkerWorld) -> None:
    """However many messages of other paused jobs there are, and however slow the queue is."""
    for _ in range(20):
        world.send("pass", job="another")
    parked = SlowQueue(world.clock)
    for _ in range(2):
        parked.send([each.body for each in world.tasks.receive(10, 0.0, 5.0)])
    assert ParkedMessages(parked, world.clock, wait_s=0).bring_back(JOB, MemoryQueue(world.clock)) == 0
    assert parked.depth() == Depth(20, 0)
