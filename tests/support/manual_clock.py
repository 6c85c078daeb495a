"""A clock that stands still until it is told otherwise."""

import threading

_START_MS = 1_750_000_000_000  # a moment in June 2025, so that stamps look like stamps


class ManualClock:
    """Wall and monotonic time that advance together, when advance or sleep is called and only then.

    Long polls wait in real time: with this clock, receive with wait_s=0.
    """

    def __init__(self, now_ms: int = _START_MS) -> None:
        self._lock = threading.Lock()
        self._start_ms = now_ms
        self._elapsed_s = 0.0

    def now_ms(self) -> int:
        return self._start_ms + round(self._elapsed_s * 1000)

    def monotonic_s(self) -> float:
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        """Let time pass; it never turns back."""
        if seconds < 0:
            raise ValueError("time does not turn back")
        with self._lock:
            self._elapsed_s += seconds

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)
