"""Until when a draining worker may go on with what it has in flight."""

import threading
from dataclasses import dataclass, field

from cloudkon.clock import Clock


@dataclass(slots=True)
class Drain:
    """Begun by any thread, or by a signal handler; when it is begun again it can only become shorter."""

    clock: Clock
    most_s: float
    reason: str = ""
    """Why the worker drains: the first reason that was given."""
    begun: threading.Event = field(default_factory=threading.Event)
    hurried: threading.Event = field(default_factory=threading.Event)
    """Everything is to be given back at once."""
    _by_s: float = float("inf")

    def within(self, seconds: float, reason: str = "") -> None:
        """Be done in that time, or in most_s if that is shorter."""
        self._by_s = min(self._by_s, self.clock.monotonic_s() + min(seconds, self.most_s))
        self.reason = self.reason or reason
        self.begun.set()

    @property
    def left_s(self) -> float:
        """How long the worker may go on; 0 when it has to end."""
        return 0.0 if self.hurried.is_set() else max(0.0, self._by_s - self.clock.monotonic_s())
