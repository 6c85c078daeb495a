"""Counts the requests that are billed, and those that were throttled, by operation."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping

from cloudkon.clock import Clock

RECENT_S = 60.0


class Meter:
    """Counters that many threads may increase."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._throttled: Counter[str] = Counter()

    def count(self, operation: str, times: int = 1) -> None:
        with self._lock:
            self._counts[operation] += times

    def count_throttled(self, operation: str) -> None:
        """Count a request, counted before, that was answered by throttling."""
        with self._lock:
            self._throttled[operation] += 1

    def totals(self) -> Mapping[str, int]:
        """Everything counted so far."""
        with self._lock:
            return dict(self._counts)

    def throttled(self) -> Mapping[str, int]:
        """What was throttled so far."""
        with self._lock:
            return dict(self._throttled)


class RecentCounts:
    """By how much growing totals have grown in about the last minute. Not thread-safe."""

    def __init__(self, totals: Callable[[], Mapping[str, int]], clock: Clock) -> None:
        self._totals = totals
        self._clock = clock
        self._looks: deque[tuple[float, Mapping[str, int]]] = deque([(clock.monotonic_s(), {})])

    def look(self) -> Mapping[str, int]:
        """Read the totals, which is to be done every second or so; what has not grown is left out."""
        now_s, totals = self._clock.monotonic_s(), self._totals()
        self._looks.append((now_s, totals))
        while self._looks[1][0] <= now_s - RECENT_S:
            self._looks.popleft()
        return dict(Counter(totals) - Counter(self._looks[0][1]))
