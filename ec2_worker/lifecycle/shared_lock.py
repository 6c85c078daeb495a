"""A file that any number of processes of a machine may hold at a time; the last one to let go knows that it is."""

import fcntl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO


class Share:
    """Of one thread; what a process held that has died is free again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def hold(self) -> None:
        """Wait for a last one that is just letting go, and hold it."""
        if self._file is None:
            with ExitStack() as unless_held:
                file = unless_held.enter_context(self._path.open("ab"))
                fcntl.flock(file, fcntl.LOCK_SH)
                unless_held.pop_all()
            self._file = file

    def let_go(self, last: Callable[[], None]) -> None:
        """Hold it no longer; if nobody else does, call last first: nobody begins to hold it before that returns."""
        held, self._file = self._file or self._path.open("ab"), None
        with held:  # closing it gives every lock back
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            last()

    def close(self) -> None:
        """Hold it no longer."""
        if self._file is not None:
            self._file.close()
            self._file = None
