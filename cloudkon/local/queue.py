"""A queue in memory that behaves as SQS does: visibility timeouts, receipt handles, receive counts, limits."""

import heapq
import re
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from cloudkon.clock import Clock
from cloudkon.ports import MAX_BATCH_MESSAGES, MAX_DELAY_S, MAX_MESSAGE_BYTES, Delivery
from cloudkon.settings import QUEUE_RETENTION_DAYS

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
_MAX_WAIT_S = 20
_MAX_VISIBILITY_S = 12 * 3600
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages wait, how many are hidden because somebody received them, and how many were sent for later."""

    visible: int
    in_flight: int
    delayed: int = 0


@dataclass(slots=True)
class _Message:
    number: int
    body: str
    sent_s: float
    receives: int = 0
    hidden_until_s: float | None = None  # None: visible

    @property
    def receipt(self) -> str:
        """The newest receipt handle: each receive makes a new one and the older ones stale."""
        return f"{self.number}-{self.receives}"


class MemoryQueue:
    """A TaskQueue that any number of threads share.

    Raises ValueError for what SQS refuses as a whole: batches that are too long or too large, times out of bounds.
    """

    def __init__(self, clock: Clock, *, retention_s: float = QUEUE_RETENTION_DAYS * 86_400) -> None:
        self._clock = clock
        self._retention_s = retention_s
        self._changed = threading.Condition()
        self._messages: dict[int, _Message] = {}
        self._visible: deque[_Message] = deque()  # those deleted meanwhile are skipped when their turn comes
        self._hidden: list[tuple[float, int]] = []  # a heap of (until, number); outdated entries are skipped
        self._in_flight = 0
        self._sent = 0

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        """Send a batch; nothing is ever refused on its own."""
        return self.send_later(bodies, 0)

    def send_later(self, bodies: Sequence[str], delay_s: float) -> Sequence[int]:
        """Send a batch that is hidden for so long, without being in flight."""
        _check_bodies(bodies)
        _check(0 <= delay_s <= MAX_DELAY_S, f"a delay lies between 0 and {MAX_DELAY_S} seconds")
        with self._changed:
            sent_s = self._clock.monotonic_s()
            for body in bodies:
                message = _Message(self._sent, body, sent_s)
                self._sent += 1
                self._messages[message.number] = message
                if delay_s:
                    self._hide(message, sent_s + delay_s)
                else:
                    self._visible.append(message)
            self._changed.notify_all()
        return ()

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        """Wait up to wait_s for up to count messages and hide them for visibility_s."""
        _check(1 <= count <= MAX_BATCH_MESSAGES, f"a receive asks for 1 to {MAX_BATCH_MESSAGES} messages")
        _check(0 <= wait_s <= _MAX_WAIT_S, f"a receive waits for 0 to {_MAX_WAIT_S} seconds")
        _check_visibility(visibility_s)
        with self._changed:
            until_s = self._clock.monotonic_s() + wait_s
            while True:
                now_s = self._clock.monotonic_s()
                self._show_lapsed(now_s)
                deliveries = self._take(count, now_s, visibility_s)
                if deliveries or now_s >= until_s:
                    return deliveries
                next_s = self._hidden[0][0] if self._hidden else until_s
                self._changed.wait(min(next_s, until_s) - now_s)

    def delete(self, receipts: Sequence[str]) -> Sequence[int]:
        """Delete a batch for good; what is gone, or was received again since, is answered with success all the same.

        Only the newest receipt handle of a message deletes it.
        """
        _check_batch(receipts)
        with self._changed:
            for receipt in receipts:
                message = self._find(receipt)
                if message is not None:
                    self._forget(message)
        return ()

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        """Set the visibility timeout of a batch; what is deleted, visible again or received anew fails."""
        _check_batch(receipts)
        _check_visibility(seconds)
        failed = []
        with self._changed:
            now_s = self._clock.monotonic_s()
            self._show_lapsed(now_s)
            for position, receipt in enumerate(receipts):
                message = self._find(receipt)
                if message is None or message.hidden_until_s is None:
                    failed.append(position)
                else:
                    self._hide(message, now_s + seconds)
            self._show_lapsed(now_s)
            self._changed.notify_all()
        return failed

    def depth(self) -> Depth:
        """How many messages there are; exact, unlike SQS's figures."""
        with self._changed:
            self._show_lapsed(self._clock.monotonic_s())
            delayed = sum(each.receives == 0 and each.hidden_until_s is not None for each in self._messages.values())
            return Depth(len(self._messages) - self._in_flight - delayed, self._in_flight, delayed)

    def _take(self, count: int, now_s: float, visibility_s: float) -> list[Delivery]:
        deliveries: list[Delivery] = []
        received_ms = self._clock.now_ms()
        while self._visible and len(deliveries) < count:
            message = self._visible.popleft()
            if message.number not in self._messages:
                continue
            if now_s - message.sent_s > self._retention_s:
                self._forget(message)
                continue
            message.receives += 1
            self._in_flight += 1
            self._hide(message, now_s + visibility_s)
            deliveries.append(Delivery(message.body, message.receipt, message.receives, received_ms))
        return deliveries

    def _hide(self, message: _Message, until_s: float) -> None:
        message.hidden_until_s = until_s
        heapq.heappush(self._hidden, (until_s, message.number))

    def _show_lapsed(self, now_s: float) -> None:
        while self._hidden and self._hidden[0][0] <= now_s:
            until_s, number = heapq.heappop(self._hidden)
            message = self._messages.get(number)
            if message is not None and message.hidden_until_s == until_s:
                message.hidden_until_s = None
                self._in_flight -= message.receives > 0
                self._visible.append(message)

    def _find(self, receipt: str) -> _Message | None:
        """The message whose newest receipt handle this is."""
        number = receipt.partition("-")[0]
        message = self._messages.get(int(number)) if number.isdecimal() else None
        return message if message is not None and message.receipt == receipt else None

    def _forget(self, message: _Message) -> None:
        del self._messages[message.number]
        if message.hidden_until_s is not None:
            self._in_flight -= message.receives > 0


def _check_bodies(bodies: Sequence[str]) -> None:
    _check_batch(bodies)
    size_bytes = sum(len(body) if body.isascii() else len(body.encode()) for body in bodies)
    _check(size_bytes <= MAX_MESSAGE_BYTES, f"a batch holds at most {MAX_MESSAGE_BYTES} bytes, not {size_bytes}")
    for body in bodies:
        _check(body != "", "a message is not empty")
        # What is printable is allowed: the search is only made for the rest.
        _check(body.isprintable() or not _FORBIDDEN.search(body), "a message holds the characters of XML 1.0 only")


def _check_batch(entries: Sequence[str]) -> None:
    _check(len(entries) <= MAX_BATCH_MESSAGES, f"a batch holds at most {MAX_BATCH_MESSAGES}, not {len(entries)}")


def _check_visibility(seconds: float) -> None:
    _check(0 <= seconds <= _MAX_VISIBILITY_S, f"a visibility timeout lies between 0 and {_MAX_VISIBILITY_S} seconds")


def _check(holds: bool, rule: str) -> None:  # noqa: FBT001 (the condition is the argument)
    if not holds:
        raise ValueError(rule)
