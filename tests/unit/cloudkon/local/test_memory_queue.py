"""What the queue in memory does by its clock; its answers to the port are in the contract suite."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cloudkon.clock import SystemClock
from cloudkon.local.queue import Depth, MemoryQueue
from cloudkon.ports import MAX_MESSAGE_BYTES
from tests.support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> MemoryQueue:
    return MemoryQueue(clock)


def test_a_message_is_hidden_to_the_moment(clock: ManualClock, queue: MemoryQueue) -> None:
    """A message comes back when its visibility timeout has passed, and not before."""
    queue.send(["task"])
    queue.receive(1, 0, 30)
    clock.advance(29.999)
    assert queue.receive(1, 0, 30) == []
    clock.advance(0.001)
    assert [delivery.receive_count for delivery in queue.receive(1, 0, 30)] == [2]


def test_hiding_counts_from_now(clock: ManualClock, queue: MemoryQueue) -> None:
    """A hide sets the timeout anew, from the moment it is called, for longer or for shorter."""
    queue.send(["longer", "shorter"])
    longer, shorter = queue.receive(2, 0, 30)
    clock.advance(20)
    queue.hide([longer.receipt], 30)
    queue.hide([shorter.receipt], 1)
    clock.advance(1)
    assert [delivery.body for delivery in queue.receive(10, 0, 1_000)] == ["shorter"]
    clock.advance(28.5)
    assert queue.receive(10, 0, 1_000) == []
    clock.advance(0.5)
    assert [delivery.body for delivery in queue.receive(10, 0, 1_000)] == ["longer"]


def test_only_the_newest_receipt_deletes(clock: ManualClock, queue: MemoryQueue) -> None:
    """A delete by an earlier receive's receipt succeeds and deletes nothing."""
    queue.send(["task"])
    stale = queue.receive(1, 0, 30)[0].receipt
    clock.advance(30)
    newest = queue.receive(1, 0, 30)[0].receipt
    assert queue.delete([stale]) == ()
    assert queue.depth() == Depth(visible=0, in_flight=1)
    assert queue.delete([newest]) == ()
    assert queue.depth() == Depth(visible=0, in_flight=0)


def test_a_message_that_is_visible_again_can_be_deleted_and_not_hidden(clock: ManualClock, queue: MemoryQueue) -> None:
    """After the timeout, and before another receive, the receipt still deletes, but has nothing to hide."""
    queue.send(["task"])
    receipt = queue.receive(1, 0, 30)[0].receipt
    clock.advance(30)
    assert queue.hide([receipt], 30) == [0]
    queue.delete([receipt])
    assert queue.receive(1, 0, 30) == []


def test_a_stale_receipt_hides_nothing(clock: ManualClock, queue: MemoryQueue) -> None:
    """The heartbeat of a worker that lost a message does not keep it from those who have it."""
    queue.send(["task"])
    stale = queue.receive(1, 0, 30)[0].receipt
    clock.advance(30)
    queue.receive(1, 0, 30)
    assert queue.hide([stale], 0) == [0]
    assert queue.receive(1, 0, 30) == []


def test_the_depth_is_exact(clock: ManualClock, queue: MemoryQueue) -> None:
    """Every message is counted once, as visible or in flight."""
    queue.send(["a", "b", "c"])
    queue.receive(2, 0, 30)
    assert queue.depth() == Depth(visible=1, in_flight=2)
    clock.advance(30)
    assert queue.depth() == Depth(visible=3, in_flight=0)


def test_messages_are_forgotten_after_the_retention(clock: ManualClock) -> None:
    """A message that waited for longer than the retention is not delivered any more."""
    queue = MemoryQueue(clock, retention_s=3_600)
    queue.send(["old"])
    clock.advance(3_600)
    queue.send(["new"])
    clock.advance(1)
    assert [delivery.body for delivery in queue.receive(10, 0, 30)] == ["new"]
    assert queue.depth() == Depth(visible=0, in_flight=1)


def test_bytes_are_counted_not_letters(queue: MemoryQueue) -> None:
    """The size of a batch is that of its UTF-8."""
    half = "é" * (MAX_MESSAGE_BYTES // 4)
    with pytest.raises(ValueError, match="at most 1048576 bytes, not 1048577"):
        queue.send([half, half, "x"])
    assert queue.send([half, half]) == ()


@pytest.mark.parametrize("body", ["", "\x00", "a\x1fb", "\ufffe", "\ud800"])
def test_messages_that_sqs_refuses_are_refused(queue: MemoryQueue, body: str) -> None:
    """A message is not empty, and holds no control characters and no halves of characters."""
    with pytest.raises(ValueError, match=r"message|surrogates"):
        queue.send(["good", body])
    assert queue.depth() == Depth(visible=0, in_flight=0)


def test_times_out_of_bounds_are_refused(queue: MemoryQueue) -> None:
    """What SQS refuses as a whole is a programming error."""
    for count, wait_s, visibility_s in [(0, 0, 1), (11, 0, 1), (1, -1, 1), (1, 21, 1), (1, 0, -1), (1, 0, 43_201)]:
        with pytest.raises(ValueError, match=r"seconds|messages"):
            queue.receive(count, wait_s, visibility_s)
    with pytest.raises(ValueError, match="visibility timeout"):
        queue.hide(["0-1"], 43_201)
    with pytest.raises(ValueError, match="at most 10, not 11"):
        queue.delete(["0-1"] * 11)


class _ClockThatTells(SystemClock):
    """Tells when it was read: from then on, a receive lets nobody in until it waits."""

    def __init__(self) -> None:
        self.was_read = threading.Event()

    def monotonic_s(self) -> float:
        self.was_read.set()
        return super().monotonic_s()


@pytest.mark.parametrize("by", ["send", "hide"])
def test_a_waiting_receive_is_woken(by: str) -> None:
    """A receive that waits is woken by what another thread sends or makes visible."""
    clock = _ClockThatTells()
    queue = MemoryQueue(clock)
    queue.send(["task"])
    receipt = queue.receive(1, 0, 1_000)[0].receipt
    clock.was_read.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(queue.receive, 1, 20, 30)
        clock.was_read.wait()
        if by == "send":
            queue.send(["task"])
        else:
            queue.hide([receipt], 0)
        # Without being woken, it would look again only when its 20 seconds are over.
        assert [delivery.body for delivery in waiting.result(timeout=15)] == ["task"]


def test_threads_share_the_messages_out() -> None:
    """Of many threads that send, receive and delete at once, each message is received by exactly one."""
    queue = MemoryQueue(SystemClock())

    def send(first: int) -> None:
        for number in range(first, first + 500, 10):
            queue.send([str(number + offset) for offset in range(10)])

    def take(_: int) -> list[str]:
        bodies: list[str] = []
        while deliveries := queue.receive(10, 0.2, 1_000):
            queue.delete([delivery.receipt for delivery in deliveries])
            bodies += [delivery.body for delivery in deliveries]
        return bodies

    with ThreadPoolExecutor(6) as pool:
        sent = pool.map(send, range(0, 1_500, 500))
        taken = list(pool.map(take, range(3)))
        list(sent)
    taken.append(take(0))  # what came after a thread had given up
    assert sorted(int(body) for bodies in taken for body in bodies) == list(range(1_500))


class QueueMachine(RuleBasedStateMachine):
    """Compares the queue with a list of messages that is searched from end to end at each step."""

    @initialize()
    def begin(self) -> None:
        self.clock = ManualClock()
        self.queue = MemoryQueue(self.clock)
        self.until: dict[str, float] = {}  # by body: when it is visible
        self.newest: dict[str, str] = {}  # by body
        self.receipts: list[tuple[str, str]] = []
        self.sent = 0

    @rule(count=st.integers(1, 3))
    def send(self, count: int) -> None:
        bodies = [str(self.sent + offset) for offset in range(count)]
        self.sent += count
        self.queue.send(bodies)
        self.until.update(dict.fromkeys(bodies, self.clock.monotonic_s()))

    @rule(count=st.integers(1, 3), visibility_s=st.integers(0, 5))
    def receive(self, count: int, visibility_s: int) -> None:
        now_s = self.clock.monotonic_s()
        visible = [body for body, until_s in self.until.items() if until_s <= now_s]
        deliveries = self.queue.receive(count, 0, visibility_s)
        assert len(deliveries) == min(count, len(visible))
        for delivery in deliveries:
            assert delivery.body in visible
            self.until[delivery.body] = now_s + visibility_s
            self.newest[delivery.body] = delivery.receipt
            self.receipts.append((delivery.body, delivery.receipt))

    @rule(data=st.data(), seconds=st.integers(0, 5))
    def hide(self, data: st.DataObject, seconds: int) -> None:
        if not self.receipts:
            return
        body, receipt = data.draw(st.sampled_from(self.receipts))
        now_s = self.clock.monotonic_s()
        hidden = body in self.until and self.newest[body] == receipt and self.until[body] > now_s
        assert self.queue.hide([receipt], seconds) == ([] if hidden else [0])
        if hidden:
            self.until[body] = now_s + seconds

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if not self.receipts:
            return
        body, receipt = data.draw(st.sampled_from(self.receipts))
        self.queue.delete([receipt])
        if self.newest.get(body) == receipt:
            self.until.pop(body, None)

    @rule(seconds=st.integers(1, 6))
    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def counts_every_message_once(self) -> None:
        now_s = self.clock.monotonic_s()
        in_flight = sum(until_s > now_s for until_s in self.until.values())
        assert self.queue.depth() == Depth(len(self.until) - in_flight, in_flight)


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=60, stateful_step_count=40)
