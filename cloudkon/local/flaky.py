"""A queue's bad days, with a seed: what SQS may do on any day, often enough to be tested."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from cloudkon.errors import UnavailableError
from cloudkon.ports import Delivery, TaskQueue

_Answer = TypeVar("_Answer")


class FlakyQueue:
    """A TaskQueue whose messages come twice and out of order, and whose calls fail in part or as a whole.

    Each probability lies between 0 and 1: of a message to be sent twice, of a received batch to be shuffled, of an
    entry to be refused, and of a call to do its work and lose the answer, or to fail without having done it.
    Raises UnavailableError for the last two, as the caller of a real queue can't tell them apart.
    """

    def __init__(
        self,
        queue: TaskQueue,
        seed: int,
        *,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        refuse: float = 0.0,
        lose_answer: float = 0.0,
        fail: float = 0.0,
    ) -> None:
        self._queue = queue
        self._random = random.Random(seed)
        self._duplicate = duplicate
        self._reorder = reorder
        self._refuse = refuse
        self._lose_answer = lose_answer
        self._fail = fail

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        return self._risk(lambda: self._in_part(bodies, self._send))

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        deliveries = self._risk(lambda: list(self._queue.receive(count, wait_s, visibility_s)))
        if self._happens(self._reorder):
            self._random.shuffle(deliveries)
        return deliveries

    def delete(self, receipts: Sequence[str]) -> Sequence[int]:
        return self._risk(lambda: self._in_part(receipts, self._queue.delete))

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        return self._risk(lambda: self._in_part(receipts, lambda some: self._queue.hide(some, seconds)))

    def _send(self, bodies: Sequence[str]) -> Sequence[int]:
        refused = self._queue.send(bodies)
        for body in bodies:
            if self._happens(self._duplicate):
                self._queue.send([body])  # on its own: together they might outgrow a batch
        return refused

    def _in_part(self, entries: Sequence[str], act: Callable[[Sequence[str]], Sequence[int]]) -> Sequence[int]:
        """Act on the entries that are not refused; return the positions among all that were."""
        chosen = [position for position in range(len(entries)) if not self._happens(self._refuse)]
        failed = act([entries[position] for position in chosen])
        done = set(chosen) - {chosen[at] for at in failed}
        return [position for position in range(len(entries)) if position not in done]

    def _risk(self, act: Callable[[], _Answer]) -> _Answer:
        if self._happens(self._fail):
            raise UnavailableError("The queue did not answer, as it was told to.")
        answer = act()
        if self._happens(self._lose_answer):
            raise UnavailableError("The queue's answer was lost, as it was told to.")
        return answer

    def _happens(self, probability: float) -> bool:
        return self._random.random() < probability
