"""Ends a process at a chosen call of a chosen port: before the call, or when it has done its work."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


class Killed(BaseException):
    """The process is gone."""


@dataclass(frozen=True, slots=True)
class Point:
    """A moment in the life of a process: the n-th call of one verb of one port."""

    call: str
    nth: int
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.call} {self.nth}"


@dataclass(slots=True)
class Tripwire:
    """Notes every call of the ports that are wired, and kills at one of them; the dead call nothing."""

    point: Point | None = None
    calls: list[str] = field(default_factory=list)
    _gone: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wired(self, name: str, port: Any) -> Any:
        return _Wired(self, name, port)

    def guard(self, name: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            if self._gone:
                raise Killed
            self.calls.append(name)
            point = self.point
            here = point is not None and name == point.call and self.calls.count(name) == point.nth
            self._gone = here
        if here and point is not None and not point.after:
            raise Killed
        answer = call(*args, **kwargs)
        if here:
            raise Killed
        return answer


class _Wired:
    def __init__(self, wire: Tripwire, name: str, port: Any) -> None:
        self._wire = wire
        self._name = name
        self._port = port

    def __getattr__(self, verb: str) -> Any:
        call = getattr(self._port, verb)
        return lambda *args, **kwargs: self._wire.guard(f"{self._name}.{verb}", call, *args, **kwargs)

    def run_all(self, bundle: Any) -> Iterator[Any]:
        """The tasks of a task runner that runs many in one loop: each of them is a call of its own."""
        tasks = self._port.run_all(bundle)
        while (ran := self._wire.guard(f"{self._name}.run", next, tasks, None)) is not None:
            yield ran


def points(calls: list[str]) -> list[Point]:
    """Every moment of a life that made these calls."""
    seen: Counter[str] = Counter()
    found = []
    for call in calls:
        seen[call] += 1
        found += [Point(call, seen[call], after) for after in (False, True)]
    return found
