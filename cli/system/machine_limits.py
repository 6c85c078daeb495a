"""What a LOCAL run leaves to others on this machine: tasks begin only while memory is free and few processes run."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from cloudkon.clock import Clock
from cloudkon.errors import InputError
from cloudkon.ports import Delivery, TaskQueue

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_LOAD = re.compile(r"([0-9]+(?:\.[0-9]+)?)(%?)")
_AVAILABLE = re.compile(r"^MemAvailable: +([0-9]+) kB", re.MULTILINE)
_LOOK_S = 0.2
"""How long to wait before the machine is looked at again."""
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class MachineLimits:
    """What was asked; None: no limit."""

    nice: int | None = None
    memfree: str | None = None
    """As it was written, such as 2G."""
    load: str | None = None
    """As it was written: a number of processes, or a share of the cores."""

    @property
    def any_is_set(self) -> bool:
        """Whether tasks may have to wait; then they travel one by one, so that each can."""
        return self.memfree is not None or self.load is not None

    def words(self) -> list[str]:
        """The options of a command that asks for the same."""
        given = {"--nice": self.nice, "--memfree": self.memfree, "--load": self.load}
        return [word for name, value in given.items() if value is not None for word in (name, str(value))]

    def be_nice(self) -> None:
        """Let others go first; what is started from now on does as well. Raises InputError if that is not allowed."""
        if self.nice is None:
            return
        try:
            os.setpriority(os.PRIO_PROCESS, 0, self.nice)
        except OSError as error:
            raise InputError(
                f"--nice {self.nice}: {error.strerror}. Without rights only 0 to 19 can be chosen."
            ) from error

    def has_room(self, proc: Path = _PROC) -> bool:
        """Whether the machine has room for another task."""
        return (self.memfree is None or free_bytes(proc) >= size_of(self.memfree)) and (
            self.load is None or running_processes(proc) < processes_of(self.load)
        )


def size_of(text: str) -> int:
    """A size in bytes: 2G, 500M, 1.5GiB; raise ValueError for what is none."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no size such as 500M or 2G")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def processes_of(text: str) -> float:
    """A number of processes, or a share of this machine's cores; raise ValueError for what is neither, or 0."""
    found = _LOAD.fullmatch(text)
    number = float(found[1]) if found is not None else 0.0
    if found is None or not number:
        raise ValueError(f"{text!r} is no number of processes such as 4, and no share of the cores such as 100%")
    return number * (os.cpu_count() or 1) / 100 if found[2] else number


def free_bytes(proc: Path = _PROC) -> int:
    """What the kernel could give to a new task: https://man7.org/linux/man-pages/man5/proc_meminfo.5.html."""
    found = _AVAILABLE.search((proc / "meminfo").read_text(encoding="ascii", errors="replace"))
    return int(found[1]) * 1024 if found is not None else 0


def running_processes(proc: Path = _PROC) -> int:
    """How many threads of the whole machine run or wait for a core now, without the one that asks.

    https://man7.org/linux/man-pages/man5/proc_loadavg.5.html: the averages beside it follow only after a minute.
    """
    running, _, _ = (proc / "loadavg").read_text(encoding="ascii").split()[3].partition("/")
    return max(0, int(running) - 1)


class RoomyQueue:
    """A queue from which nothing is received while the machine has no room for another task."""

    def __init__(self, queue: TaskQueue, has_room: Callable[[], bool], clock: Clock) -> None:
        self._queue = queue
        self._has_room = has_room
        self._clock = clock

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        """One message at most, so that the machine is looked at before each task."""
        ends_s = self._clock.monotonic_s() + wait_s
        while not self._has_room():
            if self._clock.monotonic_s() + _LOOK_S > ends_s:
                self._clock.sleep(max(0.0, ends_s - self._clock.monotonic_s()))
                return ()
            self._clock.sleep(_LOOK_S)
        return self._queue.receive(min(count, 1), max(0.0, ends_s - self._clock.monotonic_s()), visibility_s)

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        return self._queue.send(bodies)

    def send_later(self, bodies: Sequence[str], delay_s: float) -> Sequence[int]:
        return self._queue.send_later(bodies, delay_s)

    def delete(self, receipts: Sequence[str]) -> Sequence[int]:
        return self._queue.delete(receipts)

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        return self._queue.hide(receipts, seconds)


def _checked_by(read: Callable[[str], object]) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    def checked(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
        if value is not None:
            try:
                read(value)
            except ValueError as error:
                raise click.BadParameter(f"{error}.") from error
        return value

    return checked


def machine_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options --nice, --memfree and --load, and what they ask as `limits`."""

    @click.option(
        "--nice", type=click.IntRange(-20, 19), help="LOCAL: let other programs go first: 19 is the most modest."
    )
    @click.option(
        "--memfree",
        metavar="SIZE",
        callback=_checked_by(size_of),
        help="LOCAL: begin a task only while so much memory is free: 500M, 2G.",
    )
    @click.option(
        "--load",
        metavar="N",
        callback=_checked_by(processes_of),
        help="LOCAL: begin a task only while fewer processes run on this machine: 4, or a share of its cores, 100%.",
    )
    @wraps(command)
    def with_limits(*arguments: Any, nice: int | None, memfree: str | None, load: str | None, **options: Any) -> None:
        command(*arguments, limits=MachineLimits(nice, memfree, load), **options)

    return with_limits
