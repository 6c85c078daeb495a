"""Where the receiver lays bundles out and the slots take them up."""

import threading
from collections import deque

from ec2_worker.pipeline.in_flight import Held, Phase
from ec2_worker.pipeline.prefetch import Pace, bundles_wanted


class Board:
    """The bundles with tasks that no slot has taken, in the order of their receipt."""

    def __init__(self, slots: int, backlog_s: float) -> None:
        self.pace = Pace()
        self._slots = slots
        self._backlog_s = backlog_s
        self._idle = 0
        self._bundles: deque[Held] = deque()
        self._changed = threading.Condition()
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def busy(self) -> int:
        """How many slots are not waiting for work."""
        return max(0, self._slots - self._idle)

    def offer(self, held: Held) -> None:
        with self._changed:
            self._bundles.append(held)
            self.pace.received(len(held.bundle.tasks))
            self._changed.notify_all()

    def next(self) -> Held | None:
        """Wait for a bundle with tasks left to take; None once the board is closed."""
        with self._changed:
            self._idle += 1
            self._changed.notify_all()
            try:
                while not self._closed:
                    while self._bundles and not _has_work(self._bundles[0]):
                        self._bundles.popleft()
                    if self._bundles:
                        # A careful bundle is one slot's alone.
                        return self._bundles.popleft() if self._bundles[0].careful else self._bundles[0]
                    self._changed.wait()
                return None
            finally:
                self._idle -= 1

    def measured(self, held: Held) -> None:
        """Learn from a finished bundle how long its tasks took."""
        with self._changed:
            self.pace.ran(held.mean_task_s)
            self._changed.notify_all()

    def wait_for_room(self, timeout_s: float) -> int:
        """Wait until bundles are wanted; return how many, 0 after the timeout or when the board is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._wanted() > 0, timeout_s)
            return 0 if self._closed else self._wanted()

    def withdraw(self) -> list[Held]:
        """Take back the bundles that no slot has touched."""
        with self._changed:
            untouched = [held for held in self._bundles if held.untouched]
            self._bundles = deque(held for held in self._bundles if not held.untouched)
            return untouched

    def close(self) -> None:
        """Let no slot start another task."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wanted(self) -> int:
        waiting = sum(held.waiting for held in self._bundles)
        return bundles_wanted(self.pace, slots=self._slots, idle=self._idle, waiting=waiting, backlog_s=self._backlog_s)


def _has_work(held: Held) -> bool:
    return held.phase is Phase.RUNNING and held.waiting > 0
