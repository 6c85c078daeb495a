"""What a handler may ask about the time that its task has left."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cloudkon.errors import TaskFailedError

_ends_s: ContextVar[float | None] = ContextVar("cloudkon_deadline", default=None)


class TimedOutError(TaskFailedError):
    """The task's time is over; its run counts as failed."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"timed out after {after_s:.3g} s")


def remaining_s() -> float | None:
    """How long the running task may still take, by its timeout; None if it has none, 0 if it is over."""
    ends_s = _ends_s.get()
    return None if ends_s is None else max(0.0, ends_s - time.monotonic())


@contextmanager
def deadline(timeout_s: float | None) -> Iterator[None]:
    """Let what runs within know its time."""
    token = _ends_s.set(None if timeout_s is None else time.monotonic() + timeout_s)
    try:
        yield
    finally:
        _ends_s.reset(token)
