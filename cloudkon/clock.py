"""Time is passed in: wall time for stamps that machines compare, monotonic time for durations."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and lets a thread wait."""

    def now_ms(self) -> int:
        """Wall time since the epoch [ms]."""
        ...

    def monotonic_s(self) -> float:
        """Time since some fixed moment, never turned back [s]."""
        ...

    def sleep(self, seconds: float) -> None: ...


def epoch_ms(moment: datetime) -> int:
    """Convert a moment into what Clock.now_ms returns."""
    return round(moment.timestamp() * 1000)


def poll(clock: Clock, every_s: float, within_s: float = float("inf")) -> Iterator[None]:
    """Yield at once, and again after each pause until the time is up; the caller may leave the loop before."""
    until_s = clock.monotonic_s() + within_s
    while True:
        yield
        if clock.monotonic_s() >= until_s:
            return
        clock.sleep(every_s)


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
