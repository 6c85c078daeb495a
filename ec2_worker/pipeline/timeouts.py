"""Finds tasks that run past their timeout. Python can't stop a thread: the task is given up, and its slot replaced."""

import sys
import threading
from dataclasses import dataclass, field
from types import FrameType

from cloudkon.handlers.context import Context
from ec2_worker.pipeline.in_flight import InFlightBundle


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run of one task that has a timeout."""

    bundle: InFlightBundle
    index: int
    here: Context
    start_ms: int
    started_s: float
    timeout_s: float
    tries: int
    thread: int = field(default_factory=threading.get_ident)
    """The thread that runs it."""

    @property
    def frame(self) -> FrameType | None:
        """Where its thread is now."""
        return sys._current_frames().get(self.thread)  # noqa: SLF001 (documented, in spite of its name)


class Timeouts:
    """The runs that have a timeout; each is ended by exactly one of its slot and the watchdog."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._runs: set[Run] = set()

    def begin(self, run: Run) -> None:
        with self._lock:
            self._runs.add(run)

    def end(self, run: Run) -> bool:
        """Whether the slot may still give the result: False if the task was given up meanwhile."""
        with self._lock:
            ours = run in self._runs
            self._runs.discard(run)
        return ours

    def take_overdue(self, now_s: float) -> set[Run]:
        """The runs that did not stop within their timeout and a grace; their slots may not give the result any more."""
        with self._lock:
            late = {run for run in self._runs if now_s >= run.started_s + run.timeout_s + self._grace_s}
            self._runs -= late
        return late
