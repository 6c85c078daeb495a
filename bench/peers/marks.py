"""Reads the marks that tasks leave: how many have run, and in what time."""

from pathlib import Path

from cloudkon.clock import Clock

_POLL_S = 0.05


class Marks:
    """What `mark` of bench/peers/work.py has written into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "marks"

    def count(self) -> int:
        return self._file.stat().st_size if self._file.exists() else 0

    def took_s(self) -> float:
        """From the first task of the first worker to the last task of the last one."""
        first_s = min(float(path.read_text(encoding="ascii")) for path in self._folder.glob("first-*"))
        return self._file.stat().st_mtime - first_s

    def wait(self, tasks: int, patience_s: float, clock: Clock) -> None:
        """Wait until so many tasks have run; raises TimeoutError if they have not by then."""
        until_s = clock.monotonic_s() + patience_s
        while self.count() < tasks:
            if clock.monotonic_s() > until_s:
                raise TimeoutError(f"{self.count():,} of {tasks:,} tasks have run within {patience_s:.0f} s")
            clock.sleep(_POLL_S)
