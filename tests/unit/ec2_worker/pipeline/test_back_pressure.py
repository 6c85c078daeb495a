"""A worker whose ledger is slow to record takes no more than it can."""

from collections.abc import Sequence

from cloudkon.clock import SystemClock
from cloudkon.errors import UnavailableError
from cloudkon.local.queue import MemoryQueue
from cloudkon.ports import MAX_BATCH_MESSAGES
from cloudkon.settings import Settings
from ec2_worker.pipeline.receiver import _MOST_SETTLING
from ec2_worker.pipeline.settler import Settlement
from ec2_worker.worker import Worker
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld


def worker_with(bundles: int) -> tuple[Worker, MemoryQueue]:
    """A worker of one slot, and as many bundles of one task on its queue."""
    world = WorkerWorld(Settings(linger_s=0.001))
    for _ in range(bundles):
        world.send("pass")
    return SteppedWorker(world).worker, world.tasks


def test_nothing_is_received_while_much_waits_to_be_recorded() -> None:
    """When so many bundles have run and none is recorded, no more are received; once they are, it goes on."""
    worker, tasks = worker_with(_MOST_SETTLING + 20)
    receiver = worker.receiver
    for _ in range(100):
        for delivery in receiver._receive(0.0):
            receiver.take([delivery])
        for bundle in worker.in_flight.all():
            worker.slots.run_next(bundle)
    count = worker.in_flight.settling()
    assert _MOST_SETTLING <= count < _MOST_SETTLING + MAX_BATCH_MESSAGES
    assert tasks.depth().visible == _MOST_SETTLING + 20 - count
    waiting = [worker.settler.inbox.get() for _ in range(count)]
    assert worker.settler.settle([one for one in waiting if isinstance(one, Settlement)]) == []
    assert len(receiver._receive(0.0)) > 0


class Stumbling(SystemClock):
    """Notes how long a settler waits between its tries, and does not."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_a_settler_that_gets_on_does_not_wait() -> None:
    """Only when a round has settled nothing does the settler wait before the next, longer each time."""
    worker, _ = worker_with(12)
    receiver, settler = worker.receiver, worker.settler
    for _ in range(12):
        for delivery in receiver._receive(0.0):
            receiver.take([delivery])
        for bundle in worker.in_flight.all():
            worker.slots.run_next(bundle)
    clock = settler.clock = Stumbling()
    settler.backoff.uniform = lambda _, bound: bound
    settler.stop()
    answers = iter([UnavailableError, UnavailableError, None, None])
    delete = settler.queue.delete

    def sometimes(receipts: Sequence[str]) -> Sequence[int]:
        """Nothing at first, twice; then ten of twelve, then the rest."""
        if next(answers, None) is not None:
            raise UnavailableError("The queue is away.")
        return delete(receipts)

    settler.queue = MemoryQueueWith(sometimes)  # type: ignore[assignment]
    settler.run()
    assert clock.slept == [0.1]
    assert len(worker.in_flight) == 0


class MemoryQueueWith:
    def __init__(self, delete: object) -> None:
        self.delete = delete
