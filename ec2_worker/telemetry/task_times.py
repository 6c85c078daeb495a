"""Learns how long the tasks of a name take, from bundles all of whose tasks succeeded at once."""

import threading
from collections.abc import Sequence
from functools import partial

from cloudkon.backoff import attempt
from cloudkon.clock import Clock
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.task_times import MAX_NAME_CHARACTERS, RENEW_MS, TaskTime, TaskTimes
from cloudkon.workload.task_line import first_word

_LOOK_S = 0.5
"""No more than one bundle in so long is looked at: a mean changes slowly, and looking costs."""
_WEIGHT = 0.5
"""Of the newest bundle in the mean."""


class LearntTimes:
    """The means of the names that this worker has run; any thread may tell it of bundles."""

    def __init__(self, times: TaskTimes, clock: Clock) -> None:
        self._times = times
        self._clock = clock
        self._lock = threading.Lock()
        self._means_ms: dict[str, float] = {}
        self._written_s: dict[str, float] = {}
        self._look_s = float("-inf")

    def ended(self, lines: Sequence[str], results: ResultColumns) -> None:
        """Take note of a bundle whose tasks have all ended."""
        now_s = self._clock.monotonic_s()
        if now_s < self._look_s or not results.are_plain:
            return
        self._look_s = now_s + _LOOK_S
        name, *others = {first_word(line) for line in set(lines)}
        if not others and 0 < len(name) <= MAX_NAME_CHARACTERS:
            mean_ms = results.mean_duration_us / 1000
            with self._lock:
                self._means_ms[name] = (1 - _WEIGHT) * self._means_ms.get(name, mean_ms) + _WEIGHT * mean_ms

    def flush(self) -> None:
        """Write down what has been learnt of each name, at most once a minute."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            due = {
                name: mean_ms
                for name, mean_ms in self._means_ms.items()
                if now_s - self._written_s.get(name, float("-inf")) >= RENEW_MS / 1000
            }
        for name, mean_ms in due.items():
            time = TaskTime(name, round(mean_ms, 4), self._clock.now_ms())
            if attempt(partial(self._times.learn_task_time, time), name):
                self._written_s[name] = now_s
