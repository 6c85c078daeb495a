"""Wraps ports so that their calls fail: what a call does is decided by the port behind, how it fails by Faults."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

from cloudkon.local.faults import Fault, Faults
from cloudkon.ports import Delivery, TaskQueue

_Port = TypeVar("_Port")


class FlakyQueue:
    """A TaskQueue whose messages come twice and out of order, and whose calls fail in part or as a whole."""

    def __init__(self, queue: TaskQueue, faults: Faults, name: str = "queue") -> None:
        self._queue = queue
        self._faults = faults
        self._name = name

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        return self._batch("send", bodies, self._send)

    def send_later(self, bodies: Sequence[str], delay_s: float) -> Sequence[int]:
        return self._batch("send", bodies, lambda some: self._queue.send_later(some, delay_s))

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        place = f"{self._name}.receive"
        deliveries = self._faults.risk(place, lambda: list(self._queue.receive(count, wait_s, visibility_s)))
        self._faults.reorder(place, deliveries)
        return deliveries

    def delete(self, receipts: Sequence[str]) -> Sequence[int]:
        return self._batch("delete", receipts, self._queue.delete)

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        return self._batch("hide", receipts, lambda some: self._queue.hide(some, seconds))

    def _send(self, bodies: Sequence[str]) -> Sequence[int]:
        refused = self._queue.send(bodies)
        for body in bodies:
            if self._faults.happens(Fault.DUPLICATE, f"{self._name}.send"):
                self._queue.send([body])  # on its own: together they might outgrow a batch
        return refused

    def _batch(self, verb: str, entries: Sequence[str], act: Callable[[Sequence[str]], Sequence[int]]) -> Sequence[int]:
        """Act on the entries that are not refused; return the positions among all that were."""
        place = f"{self._name}.{verb}"

        def in_part() -> Sequence[int]:
            chosen = [at for at in range(len(entries)) if not self._faults.happens(Fault.REFUSE, place)]
            failed = act([entries[at] for at in chosen]) if chosen else ()
            done = set(chosen) - {chosen[at] for at in failed}
            return [at for at in range(len(entries)) if at not in done]

        return self._faults.risk(place, in_part)


def flaky(port: _Port, faults: Faults, name: str) -> _Port:
    """Wrap a ledger or a store: each of its verbs may fail, and an iterator that it returns may end in an error."""
    return cast("_Port", _Flaky(port, faults, name))


class _Flaky:
    """Wraps every verb that its port has."""

    def __init__(self, port: object, faults: Faults, name: str) -> None:
        self._port = port
        self._faults = faults
        self._name = name

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        call = getattr(self._port, verb)
        place = f"{self._name}.{verb}"

        def risked(*asked: Any, **named: Any) -> Any:
            answer = self._faults.risk(place, lambda: call(*asked, **named))
            return self._faults.broken_off(place, answer) if isinstance(answer, Iterator) else answer

        return risked
