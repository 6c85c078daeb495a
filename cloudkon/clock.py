"""Time is passed in: wall time for stamps that machines compare, monotonic time for durations."""

import time
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


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
