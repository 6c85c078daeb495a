"""Lists the messages in the dead-letter queue, moves them back to where they came from, or deletes them.

A message is moved by a client: received, sent, and only then deleted. If it ends up in both queues, the claim tells
them apart. Messages are hidden only for as long as a verb works on them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from cloudkon.clock import Clock
from cloudkon.errors import WireError
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.job import RangeKey
from cloudkon.messages.failed_events import FailedEvent, decode_failed_event
from cloudkon.messages.wire import decode_bundle, decode_range, decode_undecodable
from cloudkon.ports import MAX_BATCH_MESSAGES, MAX_MESSAGE_BYTES, Delivery, TaskQueue

_LIST_S, _WORK_S = 60.0, 600.0
"""How long messages stay hidden if the process dies that lists them, or that moves or deletes them."""
_WAIT_S = 1.0
"""A long poll asks all servers of a queue: if it finds nothing, the queue is empty."""
_ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message; copies of the same one share an id."""

    id: str
    body: str
    """The body that it had on the queue that it came from."""
    content: Bundle | RangeKey | FailedEvent | None
    """Tasks to run, a range to dispatch, or an event to repeat; None if it can't be decoded."""
    reason: str
    receipt: str = field(compare=False)

    @property
    def sent_again(self) -> str:
        """What goes back to where it came from."""
        return self.content.payload if isinstance(self.content, FailedEvent) else self.body


def read_letter(delivery: Delivery) -> DeadLetter:
    """Unwrap a message, and see whether this version of the code can decode it."""
    body, reason = delivery.body, "it was received too often without being finished"
    wrapped = decode_undecodable(body)
    if wrapped is not None:
        reason, body = wrapped
    content = None
    try:
        content = _decoded(body)
    except WireError as error:
        reason = reason if wrapped is not None else str(error)
    if isinstance(content, FailedEvent):
        reason = content.reason
    digest = hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest()[:_ID_DIGITS]
    return DeadLetter(digest, body, content, reason, delivery.receipt)


def _decoded(body: str) -> Bundle | RangeKey | FailedEvent:
    for decode in (decode_range, decode_failed_event):
        with suppress(WireError):
            return decode(body)
    return decode_bundle(body)


class Sends(Protocol):
    """Takes bodies back, and returns the positions of those that it refuses."""

    def send(self, bodies: Sequence[str]) -> Sequence[int]: ...


@dataclass(slots=True)
class Handled:
    """What became of the letters that were chosen."""

    done: list[DeadLetter] = field(default_factory=list)
    undecodable: list[DeadLetter] = field(default_factory=list)
    """They are not moved, because they would come back."""
    failed: list[DeadLetter] = field(default_factory=list)
    """A queue refused to take, or to delete, these."""
    complete: bool = True
    """Whether the whole queue was read; False if the time was up before."""


Choice = Callable[[DeadLetter], bool]
Act = Callable[[Sequence[DeadLetter], Handled], None]


@dataclass(slots=True)
class DeadLetters:
    """Each method raises what the queues raise; messages that it has not moved or deleted become visible again."""

    queue: TaskQueue
    tasks: TaskQueue
    ranges: TaskQueue
    events: Sends
    """The function that opens jobs."""
    clock: Clock

    def listed(self, limit: int) -> list[DeadLetter]:
        """Up to limit letters, in no particular order."""
        found: list[DeadLetter] = []
        ends_s = self.clock.monotonic_s() + _LIST_S
        try:
            while len(found) < limit and self.clock.monotonic_s() < ends_s:
                letters = self._receive(_LIST_S)
                if not letters:
                    break
                found += letters
        finally:
            self._show([letter.receipt for letter in found])
        return found[:limit]

    def redrive(self, chosen: Choice) -> Handled:
        """Move the chosen letters back: bundles and ranges to their queues, events to the function; others stay."""
        return self._handle(chosen, self._move)

    def purge(self, chosen: Choice) -> Handled:
        """Delete the chosen letters for good."""
        return self._handle(chosen, self._delete)

    def _handle(self, chosen: Choice, act: Act) -> Handled:
        """Read the queue once; messages that stay are hidden meanwhile, so that none is received twice."""
        handled = Handled()
        hidden: set[str] = set()
        ends_s = self.clock.monotonic_s() + _WORK_S
        try:
            while letters := self._receive(_WORK_S):
                hidden.update(letter.receipt for letter in letters)
                act([letter for letter in letters if chosen(letter)], handled)
                hidden.difference_update(letter.receipt for letter in handled.done[-len(letters) :])
                if self.clock.monotonic_s() >= ends_s:
                    handled.complete = False
                    break
        finally:
            self._show(sorted(hidden))
        return handled

    def _receive(self, hide_s: float) -> list[DeadLetter]:
        return [read_letter(delivery) for delivery in self.queue.receive(MAX_BATCH_MESSAGES, _WAIT_S, hide_s)]

    def _move(self, letters: Sequence[DeadLetter], handled: Handled) -> None:
        handled.undecodable += [letter for letter in letters if letter.content is None]
        self._move_to(self.tasks, [letter for letter in letters if isinstance(letter.content, Bundle)], handled)
        self._move_to(self.ranges, [letter for letter in letters if isinstance(letter.content, RangeKey)], handled)
        self._move_to(self.events, [letter for letter in letters if isinstance(letter.content, FailedEvent)], handled)

    def _move_to(self, place: Sends, letters: Sequence[DeadLetter], handled: Handled) -> None:
        for batch in _batches(letters):
            refused = set(place.send([letter.sent_again for letter in batch]))
            handled.failed += [letter for position, letter in enumerate(batch) if position in refused]
            self._delete([letter for position, letter in enumerate(batch) if position not in refused], handled)

    def _delete(self, letters: Sequence[DeadLetter], handled: Handled) -> None:
        if not letters:
            return
        failed = set(self.queue.delete([letter.receipt for letter in letters]))
        for position, letter in enumerate(letters):
            (handled.failed if position in failed else handled.done).append(letter)

    def _show(self, receipts: Sequence[str]) -> None:
        """Make messages visible again; where that fails, they become visible when their visibility timeout ends."""
        for start in range(0, len(receipts), MAX_BATCH_MESSAGES):
            self.queue.hide(receipts[start : start + MAX_BATCH_MESSAGES], 0)


def _batches(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """Cut the letters so that one send takes each part."""
    batch: list[DeadLetter] = []
    size_bytes = 0
    for letter in letters:
        letter_bytes = len(letter.body.encode(errors="surrogatepass"))
        if batch and size_bytes + letter_bytes > MAX_MESSAGE_BYTES:
            yield batch
            batch, size_bytes = [], 0
        batch.append(letter)
        size_bytes += letter_bytes
    if batch:
        yield batch
