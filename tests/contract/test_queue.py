"""What every TaskQueue answers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cloudkon.errors import CloudKonError
from cloudkon.ports import MAX_BATCH_MESSAGES, MAX_MESSAGE_BYTES, Delivery, TaskQueue

_REFUSED = (CloudKonError, ValueError)
_LONG_S = 60.0


def test_a_message_arrives_as_it_was_sent(queue: TaskQueue) -> None:
    """A message arrives with its body unchanged, counted as its first receive."""
    body = '{"tasks": ["sleep 1", "größe \\u0000 🚀"],\n\t"n": 1}'
    assert list(queue.send([body])) == []
    (delivery,) = queue.receive(10, 0, _LONG_S)
    assert (delivery.body, delivery.receive_count) == (body, 1)
    assert delivery.received_ms > 0


def test_an_empty_queue_answers_with_nothing(queue: TaskQueue) -> None:
    """A receive that does not wait answers an empty queue with no messages."""
    assert list(queue.receive(10, 0, _LONG_S)) == []


def test_a_receive_takes_no_more_than_it_asked_for(queue: TaskQueue) -> None:
    """A receive takes at most as many messages as it asked for, and leaves the rest to the next."""
    queue.send([f"task {number}" for number in range(7)])
    some, rest = queue.receive(4, 0, _LONG_S), queue.receive(10, 0, _LONG_S)
    assert len(some) <= 4
    assert {delivery.body for delivery in [*some, *rest]} == {f"task {number}" for number in range(7)}


def test_a_received_message_is_hidden(queue: TaskQueue) -> None:
    """Nobody else receives a message while its visibility timeout runs."""
    queue.send(["task"])
    assert len(queue.receive(10, 0, _LONG_S)) == 1
    assert list(queue.receive(10, 0, _LONG_S)) == []


def test_a_message_comes_back_when_its_visibility_timeout_ends(queue: TaskQueue) -> None:
    """A message that was neither deleted nor hidden for longer is received again, with a receipt of its own."""
    queue.send(["task"])
    first = _receive_one(queue, visibility_s=1)
    second = _receive_one(queue)
    assert (second.body, second.receive_count) == ("task", 2)
    assert second.receipt != first.receipt


def test_hiding_for_no_time_gives_a_message_back(queue: TaskQueue) -> None:
    """A message hidden for 0 seconds is visible at once."""
    queue.send(["task"])
    delivery = _receive_one(queue)
    assert list(queue.hide([delivery.receipt], 0)) == []
    assert _receive_one(queue).receive_count == 2


def test_a_message_that_is_sent_for_later_comes_later(queue: TaskQueue) -> None:
    """Nobody receives it at once; when its delay is over it is received as any, for the first time."""
    assert list(queue.send_later(["task"], 2)) == []
    assert list(queue.receive(10, 0, _LONG_S)) == []
    assert _receive_one(queue).receive_count == 1


def test_hiding_extends_the_visibility_timeout(queue: TaskQueue) -> None:
    """A message that is hidden anew does not come back when its first timeout ends."""
    queue.send(["task"])
    delivery = _receive_one(queue, visibility_s=1)
    assert list(queue.hide([delivery.receipt], _LONG_S)) == []
    assert list(queue.receive(10, 2, _LONG_S)) == []


def test_a_deleted_message_is_gone(queue: TaskQueue) -> None:
    """A deleted message does not come back, and what stays is not deleted with it."""
    queue.send(["done", "not done"])
    deliveries = {delivery.body: delivery.receipt for delivery in queue.receive(10, 0, 1)}
    assert list(queue.delete([deliveries["done"]])) == []
    assert _receive_one(queue).body == "not done"
    assert list(queue.receive(10, 0, _LONG_S)) == []


def test_deleting_twice_is_no_failure(queue: TaskQueue) -> None:
    """What is already gone counts as deleted."""
    queue.send(["task"])
    receipt = _receive_one(queue).receipt
    assert list(queue.delete([receipt])) == []
    assert list(queue.delete([receipt])) == []


def test_deleting_by_a_stale_receipt_is_no_failure(queue: TaskQueue) -> None:
    """A delete by the receipt of an earlier receive is answered with success, whatever it does."""
    queue.send(["task"])
    stale = _receive_one(queue).receipt
    queue.hide([stale], 0)
    _receive_one(queue)
    assert list(queue.delete([stale])) == []


def test_hiding_what_is_gone_fails_at_its_position(queue: TaskQueue) -> None:
    """A batch of hides reports the positions that failed and does the others."""
    queue.send(["gone", "here"])
    receipts = {delivery.body: delivery.receipt for delivery in queue.receive(10, 0, _LONG_S)}
    queue.delete([receipts["gone"]])
    assert list(queue.hide([receipts["gone"], receipts["here"], "no receipt"], 0)) == [0, 2]
    assert _receive_one(queue).body == "here"


def test_a_batch_of_more_than_ten_is_refused(queue: TaskQueue) -> None:
    """A batch of eleven is refused as a whole."""
    with pytest.raises(_REFUSED):
        queue.send(["task"] * (MAX_BATCH_MESSAGES + 1))
    assert list(queue.receive(10, 0, _LONG_S)) == []


def test_a_batch_holds_a_mebibyte_and_no_more(queue: TaskQueue) -> None:
    """Messages of 1 MiB together go in one batch; with a byte more, they are refused as a whole."""
    half = "x" * (MAX_MESSAGE_BYTES // 2)
    with pytest.raises(_REFUSED):
        queue.send([half, half, "x"])
    assert list(queue.receive(10, 0, _LONG_S)) == []
    assert list(queue.send([half, half])) == []
    assert _receive_one(queue).body == half


def test_an_empty_batch_does_nothing(queue: TaskQueue) -> None:
    """An empty batch of any kind is no error."""
    assert list(queue.send([])) == list(queue.delete([])) == list(queue.hide([], 0)) == []


def test_a_waiting_receive_returns_when_a_message_is_sent(queue: TaskQueue) -> None:
    """A receive that waits is given what another thread sends meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(queue.receive, 10, 20, _LONG_S)
        queue.send(["task"])
        assert [delivery.body for delivery in waiting.result()] == ["task"]


def _receive_one(queue: TaskQueue, visibility_s: float = _LONG_S) -> Delivery:
    deliveries = queue.receive(1, 5, visibility_s)
    assert len(deliveries) == 1
    return deliveries[0]
