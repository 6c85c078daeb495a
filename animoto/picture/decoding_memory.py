"""Limits the memory of all pictures that one process decodes at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

MAX_BYTES = 1 << 30
"""What the costliest picture takes alone; docs/animoto.md has the measured peaks."""


class DecodingMemory:
    """So many bytes for all threads. A picture that would exceed them waits until others have been decoded."""

    def __init__(self, size_bytes: int = MAX_BYTES) -> None:
        self._size_bytes = size_bytes
        self._held_bytes = 0
        self._change = Condition()

    @contextmanager
    def reserve(self, size_bytes: int) -> Iterator[None]:
        """Wait for so many bytes and hold them; the first picture always gets what it needs, so nothing deadlocks."""
        with self._change:
            self._change.wait_for(lambda: not self._held_bytes or self._held_bytes + size_bytes <= self._size_bytes)
            self._held_bytes += size_bytes
        try:
            yield
        finally:
            with self._change:
                self._held_bytes -= size_bytes
                self._change.notify_all()
