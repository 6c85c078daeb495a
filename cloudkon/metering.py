"""Counts the calls that are billed, by operation."""

import threading
from collections import Counter
from collections.abc import Mapping


class Meter:
    """A counter that many threads may turn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, operation: str) -> None:
        with self._lock:
            self._counts[operation] += 1

    def totals(self) -> Mapping[str, int]:
        """Everything counted so far."""
        with self._lock:
            return dict(self._counts)
