"""Waiting for what another process does, and saying what it was when it does not come."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
_POLL_S = 0.1


def eventually(look: Callable[[], Found], within_s: float = 60.0) -> Found:
    """Look again and again until there is something; return it. Fails after within_s."""
    deadline_s = time.monotonic() + within_s
    pause = threading.Event()
    while not (found := look()):
        if time.monotonic() > deadline_s:
            raise AssertionError(f"{look.__doc__ or look.__name__} did not come within {within_s:.0f} s")
        pause.wait(_POLL_S)
    return found
