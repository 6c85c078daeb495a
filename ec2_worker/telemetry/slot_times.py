"""How much of their time slots wait for Python's interpreter, which runs one thread of a process at a time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cloudkon.clock import Clock

SATURATED = 0.7
"""With so much processor time in each second the interpreter is as good as always taken: the rest is the worker's."""
_LEAST_RIVALS = 2


@dataclass(slots=True)
class SlotTime:
    """The time of all slots in the tasks of one job."""

    busy_s: float = 0.0
    cpu_s: float = 0.0
    active_s: float = 0.0
    """When at least one slot was busy."""
    running: int = 0
    since_s: float = 0.0
    """When the first of those that run began."""

    def waited_s(self, slots: int) -> float:
        """How long they waited for the interpreter.

        Nothing measures that, but it follows from the processor time of the slots' threads. Where it comes to about a
        second in each second, although there are several slots, one of them always had the interpreter, and what was
        no processor time was waiting. Slots that compute outside of the interpreter use more processor time, and
        hardly wait; those that wait for something else use less. A machine that is busy otherwise hides the waiting.
        """
        if slots < _LEAST_RIVALS or self.cpu_s < SATURATED * self.active_s:
            return 0.0
        return max(0.0, self.busy_s - self.cpu_s)


class SlotTimes:
    """Measures slots by job; may be told from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[str, SlotTime] = {}

    def of(self, job: str) -> SlotTime:
        with self._lock:
            return self._jobs.setdefault(job, SlotTime())

    @contextmanager
    def running(self, job: str) -> Iterator[None]:
        """Measure what this thread does for the job."""
        begun_s, cpu_s = self._clock.monotonic_s(), time.thread_time()
        with self._lock:
            slot_time = self._jobs.setdefault(job, SlotTime())
            slot_time.running += 1
            if slot_time.running == 1:
                slot_time.since_s = begun_s
        try:
            yield
        finally:
            cpu_s = time.thread_time() - cpu_s
            with self._lock:
                ended_s = self._clock.monotonic_s()
                slot_time.busy_s += ended_s - begun_s
                slot_time.cpu_s += cpu_s
                slot_time.running -= 1
                if not slot_time.running:
                    slot_time.active_s += ended_s - slot_time.since_s
