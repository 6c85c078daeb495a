"""Back pressure: a sender waits while the queue in memory is full, so that memory stays flat."""

import threading
from collections.abc import Sequence

from cloudkon.errors import CloudKonError
from cloudkon.local.queue import MemoryQueue
from cloudkon.ports import Delivery

_LOOK_S = 0.01


class ClosedError(CloudKonError):
    """The queue takes nothing more: the run is over."""


class BoundedQueue:
    """A memory queue that holds about `most` visible messages."""

    def __init__(self, queue: MemoryQueue, most: int) -> None:
        self._queue = queue
        self._most = most
        self._closed = threading.Event()

    def close(self) -> None:
        """Let senders wait no longer; they get ClosedError."""
        self._closed.set()

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        """Wait until there is room, then send; raises ClosedError."""
        while self._queue.depth().visible >= self._most:
            if self._closed.wait(_LOOK_S):
                raise ClosedError("The run is over.")
        return self._queue.send(bodies)

    def send_later(self, bodies: Sequence[str], delay_s: float) -> Sequence[int]:
        return self._queue.send_later(bodies, delay_s)  # by a worker: it must not wait for itself

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        return self._queue.receive(count, wait_s, visibility_s)

    def delete(self, receipts: Sequence[str]) -> Sequence[int]:
        return self._queue.delete(receipts)

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        return self._queue.hide(receipts, seconds)
