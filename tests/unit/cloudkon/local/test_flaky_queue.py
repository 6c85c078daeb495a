import pytest

from cloudkon.errors import UnavailableError
from cloudkon.local.faults import Fault, Faults
from cloudkon.local.flaky import FlakyQueue
from cloudkon.local.queue import Depth, MemoryQueue
from tests.support.manual_clock import ManualClock

_TEN = [str(number) for number in range(10)]


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue(ManualClock())


def flaky(queue: MemoryQueue, *, seed: int = 1, **odds: float) -> FlakyQueue:
    faults = Faults(seed, {Fault[name.upper()]: chance for name, chance in odds.items()}, ManualClock())
    return FlakyQueue(queue, faults)


def test_a_duplicated_message_comes_twice(queue: MemoryQueue) -> None:
    """Every message that is duplicated is there twice, as two messages."""
    assert flaky(queue, duplicate=1.0).send(["a", "b"]) == []
    assert sorted(_bodies(queue)) == ["a", "a", "b", "b"]


def test_a_reordered_receive_holds_the_same_messages(queue: MemoryQueue) -> None:
    """A receive that is reordered gives the messages of its batch in another order."""
    queue.send(_TEN)
    deliveries = flaky(queue, reorder=1.0).receive(10, 0, 30)
    bodies = [delivery.body for delivery in deliveries]
    assert sorted(bodies) == _TEN
    assert bodies != _TEN


def test_refused_entries_are_reported_and_the_others_done(queue: MemoryQueue) -> None:
    """The positions that were refused, and only those, were not sent."""
    refused = flaky(queue, refuse=0.5).send(_TEN)
    assert 0 < len(refused) < 10
    assert set(_bodies(queue)) == set(_TEN) - {_TEN[position] for position in refused}


def test_refusals_of_the_queue_itself_keep_their_positions(queue: MemoryQueue) -> None:
    """What the queue behind fails at is reported at the position it has in the whole batch."""
    queue.send(_TEN)
    receipts = [delivery.receipt for delivery in queue.receive(10, 0, 30)]
    queue.delete(receipts[::2])
    failed = flaky(queue, seed=3, refuse=0.3).hide(receipts, 0)
    assert set(range(0, 10, 2)) < set(failed)
    assert queue.depth() == Depth(visible=10 - len(failed), in_flight=5 - (10 - len(failed)))


def test_a_refused_delete_deletes_nothing(queue: MemoryQueue) -> None:
    """A delete may be refused in part, too."""
    queue.send(["a"])
    receipt = queue.receive(1, 0, 30)[0].receipt
    assert flaky(queue, refuse=1.0).delete([receipt]) == [0]
    assert queue.depth() == Depth(visible=0, in_flight=1)


def test_a_failed_call_has_done_nothing(queue: MemoryQueue) -> None:
    """A call that fails before its work leaves the queue as it was."""
    failing = flaky(queue, fail=1.0)
    with pytest.raises(UnavailableError):
        failing.send(["a"])
    assert queue.depth() == Depth(visible=0, in_flight=0)
    queue.send(["a"])
    with pytest.raises(UnavailableError):
        failing.receive(1, 0, 30)
    assert queue.depth() == Depth(visible=1, in_flight=0)


def test_a_lost_answer_has_done_its_work(queue: MemoryQueue) -> None:
    """A call whose answer is lost has sent, received or deleted all the same."""
    losing = flaky(queue, lose_answer=1.0)
    with pytest.raises(UnavailableError):
        losing.send(["a"])
    assert queue.depth() == Depth(visible=1, in_flight=0)
    with pytest.raises(UnavailableError):
        losing.receive(1, 0, 30)
    assert queue.depth() == Depth(visible=0, in_flight=1)


def _bodies(queue: MemoryQueue) -> list[str]:
    return [delivery.body for delivery in queue.receive(10, 0, 30)]
