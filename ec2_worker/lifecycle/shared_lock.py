"""A lock file that any number of processes of a machine may hold at a time; the last to release it is told so."""

import fcntl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO


class SharedLock:
    """Not thread-safe. The operating system releases what a process held that has died."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def hold(self) -> None:
        """Hold it; if another process is just releasing it as the last, wait until that is over."""
        if self._file is None:
            with ExitStack() as unless_held:
                file = unless_held.enter_context(self._path.open("ab"))
                fcntl.flock(file, fcntl.LOCK_SH)
                unless_held.pop_all()
            self._file = file

    def release(self, last: Callable[[], None]) -> None:
        """Release it. If nobody else holds it, call last before: no process can begin to hold it until that returns."""
        held, self._file = self._file or self._path.open("ab"), None
        with held:  # closing it gives every lock back
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            last()

    def close(self) -> None:
        """Release it without asking whether anybody else holds it."""
        if self._file is not None:
            self._file.close()
            self._file = None
