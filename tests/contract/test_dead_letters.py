"""What is in a dead-letter queue, moved back or deleted, over every queue."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cloudkon.clock import SystemClock
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.job import RangeKey
from cloudkon.local.queue import MemoryQueue
from cloudkon.messages.dead_letters import DeadLetters
from cloudkon.messages.wire import encode_bundle, encode_range, encode_undecodable
from cloudkon.ports import Delivery, TaskQueue

NEWER = json.dumps({"v": 99})


def bundle(number: int = 0, size: int = 1) -> str:
    tasks = tuple(f"sleep {'0' * size}" for _ in range(2))
    return encode_bundle(Bundle(BundleKey("job", 0, number), LineNumbers(((1, 2),)), tasks, 5, 6))


@pytest.fixture
def tasks() -> MemoryQueue:
    return MemoryQueue(SystemClock())


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudkon.messages.dead_letters._WAIT_S", 0.0)


@pytest.fixture
def ranges() -> MemoryQueue:
    return MemoryQueue(SystemClock())


class Function:
    """In place of the Lambda: keeps what it is handed, and accepts it unless it is told not to."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.accepts = True

    def send(self, bodies: Sequence[str]) -> list[int]:
        self.events += bodies
        return [] if self.accepts else list(range(len(bodies)))


@pytest.fixture
def letters(queue: TaskQueue, tasks: MemoryQueue, ranges: MemoryQueue) -> DeadLetters:
    return DeadLetters(queue, tasks, ranges, Function(), SystemClock())


def bodies(queue: TaskQueue) -> list[str]:
    found: list[str] = []
    while deliveries := queue.receive(10, 0.0, 60.0):
        found += [delivery.body for delivery in deliveries]
    return sorted(found)


def test_letters_are_read_and_stay(queue: TaskQueue, letters: DeadLetters) -> None:
    """Wrapped or not, each letter tells why it is here and what it holds, and is there for the next who looks."""
    wrapped = encode_undecodable("gibberish", "The message is not JSON.")
    queue.send([bundle(3), wrapped, NEWER])
    for _ in range(2):
        found = {letter.body: letter for letter in letters.listed(100)}
        assert found.keys() == {bundle(3), "gibberish", NEWER}
        assert found["gibberish"].reason == "The message is not JSON."
        assert found[NEWER].reason == "The message is no bundle of version 1."
        assert found[bundle(3)].reason == "it was received too often without being finished"
        decoded = found[bundle(3)].content
        assert isinstance(decoded, Bundle)
        assert str(decoded.key) == "job/00000.000003"


def test_no_more_than_asked_for(queue: TaskQueue, letters: DeadLetters) -> None:
    """A limit is kept to, and the letters above it can be received at once."""
    for first in (0, 10):
        queue.send([bundle(number) for number in range(first, first + 10)])
    assert len(letters.listed(3)) == 3
    assert len(bodies(queue)) == 20


def test_redrive_moves_bundles_and_keeps_what_cannot_be_decoded(
    queue: TaskQueue, tasks: MemoryQueue, letters: DeadLetters
) -> None:
    """Bundles move to the task queue, unwrapped; what can't be decoded stays, and can be received at once."""
    queue.send([bundle(1), encode_undecodable(bundle(2), "an older version could not"), NEWER, "gibberish"])
    handled = letters.redrive(lambda _: True)
    assert bodies(tasks) == [bundle(1), bundle(2)]
    assert sorted(letter.body for letter in handled.undecodable) == ["gibberish", NEWER]
    assert (len(handled.done), handled.failed, handled.complete) == (2, [], True)
    assert bodies(queue) == ["gibberish", NEWER]


def test_redrive_of_ranges(queue: TaskQueue, tasks: MemoryQueue, ranges: MemoryQueue, letters: DeadLetters) -> None:
    """A range that could not be dispatched moves to the queue of ranges."""
    body = encode_range(RangeKey("job", 3))
    queue.send([body, bundle(1)])
    assert RangeKey("job", 3) in {letter.content for letter in letters.listed(9)}
    assert len(letters.redrive(lambda _: True).done) == 2
    assert (bodies(ranges), bodies(tasks), bodies(queue)) == ([body], [bundle(1)], [])


def test_redrive_of_some(queue: TaskQueue, tasks: MemoryQueue, letters: DeadLetters) -> None:
    """Only what is chosen moves; an id is the same whenever it is asked for."""
    queue.send([bundle(1), bundle(2), bundle(1)])
    (one, *_) = [letter for letter in letters.listed(9) if letter.body == bundle(1)]
    assert len(letters.redrive(lambda letter: letter.id == one.id).done) == 2
    assert (bodies(tasks), bodies(queue)) == ([bundle(1)] * 2, [bundle(2)])


def test_redrive_of_large_letters(queue: TaskQueue, tasks: MemoryQueue, letters: DeadLetters) -> None:
    """Letters that are too large for one batch together are sent in several."""
    for number in range(3):
        queue.send([bundle(number, size=200_000)])
    assert len(letters.redrive(lambda _: True).done) == 3
    assert len(bodies(tasks)) == 3


def test_purge_deletes_what_is_chosen_and_nothing_else(queue: TaskQueue, letters: DeadLetters) -> None:
    """What is chosen is deleted, whether it can be decoded or not; the rest stays."""
    queue.send([bundle(1), NEWER, "gibberish"])
    handled = letters.purge(lambda letter: letter.content is None)
    assert (len(handled.done), bodies(queue)) == (2, [bundle(1)])


class Refusing:
    """A queue that refuses the first entry of each batch of one verb."""

    def __init__(self, queue: TaskQueue, verb: str) -> None:
        self._queue = queue
        self._verb = verb

    def __getattr__(self, verb: str) -> Callable[..., object]:
        call: Callable[..., object] = getattr(self._queue, verb)
        if verb != self._verb:
            return call
        return lambda entries: [call(entries[1:]), [0]][1] if len(entries) > 1 else [0]

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        return self._queue.receive(count, wait_s, visibility_s)


@pytest.mark.parametrize("verb", ["send", "delete"])
def test_what_is_refused_stays(queue: TaskQueue, tasks: MemoryQueue, verb: str) -> None:
    """An entry that is refused, by the task queue or at its deletion, is told and stays: nothing is lost."""
    queue.send([bundle(1), bundle(2)])
    dead: TaskQueue = Refusing(queue, verb) if verb == "delete" else queue  # type: ignore[assignment]
    task: TaskQueue = Refusing(tasks, verb) if verb == "send" else tasks  # type: ignore[assignment]
    handled = DeadLetters(dead, task, MemoryQueue(SystemClock()), Function(), SystemClock()).redrive(lambda _: True)
    (left,) = handled.failed
    assert bodies(queue) == [left.body]
    assert {letter.body for letter in handled.done} | {left.body} == {bundle(1), bundle(2)}
    assert set(bodies(tasks)) == ({bundle(1), bundle(2)} if verb == "delete" else {bundle(1), bundle(2)} - {left.body})


EVENT = {"Records": [{"s3": {"bucket": {"name": "workloads"}, "object": {"key": "in/my+tasks%3D1.txt"}}}]}
"""What of an event of S3 tells where the workload is."""


def failed_event(**changes: Any) -> str:
    """As Lambda keeps it, by its page."""
    record = {
        "version": "1.0",
        "timestamp": "2026-11-14T18:16:05.568Z",
        "requestContext": {"requestId": "e4b46cbf", "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": EVENT,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "RequestId: e4b46cbf Process exited before completing request"},
    }
    return json.dumps(record | changes)


def test_an_event_that_was_given_up_is_named_and_repeated(queue: TaskQueue, letters: DeadLetters) -> None:
    """The record of an event at which the Lambda failed tells which workload it is of, and goes back to the Lambda."""
    queue.send([failed_event()])
    (letter,) = letters.listed(9)
    assert str(letter.content) == "event of workloads/in/my tasks=1.txt"
    assert letter.reason == (
        "ingest failed at it (RetriesExhausted): RequestId: e4b46cbf Process exited before completing request"
    )
    function = letters.events
    assert isinstance(function, Function)
    function.accepts = False
    assert [each.id for each in letters.redrive(lambda _: True).failed] == [letter.id]
    function.accepts = True
    assert [each.id for each in letters.redrive(lambda _: True).done] == [letter.id]
    assert [json.loads(event) for event in function.events] == [EVENT, EVENT]
    assert bodies(queue) == []


@pytest.mark.parametrize(
    "body",
    [
        failed_event(requestPayload={"Records": []}),
        failed_event(requestPayload={"Records": [{"s3": {"bucket": {}}}]}),
        failed_event(requestPayload=None),
        failed_event(requestContext=7),
        json.dumps({"Records": EVENT["Records"]}),
        "[" * 100_000,
    ],
)
def test_what_is_no_record_of_an_event_stays(queue: TaskQueue, letters: DeadLetters, body: str) -> None:
    """A record that names no object is shown as undecodable, and is not handed to the Lambda."""
    queue.send([body])
    assert [letter.content for letter in letters.listed(9)] == [None]
    assert len(letters.redrive(lambda _: True).undecodable) == 1
    assert bodies(queue) == [body]
