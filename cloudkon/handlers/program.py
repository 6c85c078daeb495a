"""Runs programs for handlers, each in a process group of its own, which ends with the task's time however it forks."""

import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial

from cloudkon.handlers.context import log_of_task
from cloudkon.handlers.deadline import TimedOutError, remaining_s

MAX_OUTPUT_BYTES = 64 * 1024
"""What a handler gets of stdout, and of stderr: their ends."""
MAX_LOG_BYTES = 1024 * 1024
"""What the task's log gets of each, if the program failed."""
_READ_BYTES = 64 * 1024
_REST_S = 1.0
"""How long the streams of a program that has ended are read, if something that left its group keeps them open."""

# A process has one table of children, and whoever ends the process ends them all. Each change is one step of the
# interpreter, so that no start waits for another.
_groups: set[int] = set()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and the last that it said."""

    exit_code: int
    """Negative if a signal ended it: minus its number."""
    stdout: str
    """The last 64 KiB, as stderr."""
    stderr: str


def run_program(command: Sequence[str]) -> Ended:
    """Run a program to its end, without a shell; its whole process group is killed when the task's time is over.

        ended = run_program(["convert", source, target])
        if ended.exit_code != 0:
            raise Permanent(ended.stderr)

    If it fails, what it printed goes into the task's log as well. What it leaves running in its group is ended with it.
    What has left the group, as a daemon does, goes on; what it prints a second after the program's end is not read any
    more. Raises TimedOutError when the time is over, and OSError if the program can't be started.
    """
    from cloudkon.handlers.spawning import start, wait  # noqa: PLC0415 (ctypes is for runs that start programs)

    timeout_s = remaining_s()
    ends_s = None if timeout_s is None else time.monotonic() + timeout_s
    with ExitStack() as opened:
        pid, streams = _started(partial(start, [os.fspath(word) for word in command]), opened)
        tails = {stream: bytearray() for stream in streams}
        read = partial(_read, tails)
        try:
            in_time = wait(pid, streams, read, ends_s)
        finally:
            _kill_group(pid)  # before it is reaped: its number can't be another's yet
            _groups.discard(pid)
            status = os.waitpid(pid, 0)[1]
        if not in_time:
            raise TimedOutError(timeout_s or 0.0)
        _read_rest(tails)
    ended = Ended(os.waitstatus_to_exitcode(status), *(_text(tail, MAX_OUTPUT_BYTES) for tail in tails.values()))
    if ended.exit_code != 0 and (log := log_of_task()) is not None:
        for tail in tails.values():
            log.write(_text(tail, MAX_LOG_BYTES))
    return ended


def end_programs() -> None:
    """Kill every program that is still running: their tasks are given back, so nobody may go on with them."""
    for group in _groups.copy():
        _kill_group(group)


def _started(start: Callable[[int, int], int], opened: ExitStack) -> tuple[int, Sequence[int]]:
    """Start a program; return its pid, and what its stdout and stderr can be read from until opened is closed."""
    with ExitStack() as inherited:
        reading, writing = [], []
        for _ in range(2):
            ours, its = os.pipe()
            opened.callback(os.close, ours)
            inherited.callback(os.close, its)
            reading.append(ours)
            writing.append(its)
        pid = start(*writing)
        _groups.add(pid)
    return pid, reading


def _read(tails: Mapping[int, bytearray], stream: int) -> bool:
    """Take what a stream has; return whether it goes on."""
    data = os.read(stream, _READ_BYTES)
    tail = tails[stream]
    tail += data
    if len(tail) > 2 * MAX_LOG_BYTES:  # seldom, for it moves what is kept
        del tail[:-MAX_LOG_BYTES]
    return bool(data)


def _text(tail: bytearray, most_bytes: int) -> str:
    return tail[-most_bytes:].decode(errors="replace")


def _read_rest(tails: Mapping[int, bytearray]) -> None:
    """What the streams still hold, to their ends: they come at once, as the group is gone."""
    ends_s = time.monotonic() + _REST_S
    poll = select.poll()
    for stream in tails:
        poll.register(stream, select.POLLIN)
    going_on = set(tails)
    while going_on and (left_s := ends_s - time.monotonic()) > 0:
        for stream, _ in poll.poll(1000 * left_s):
            if not _read(tails, stream):
                poll.unregister(stream)
                going_on.discard(stream)


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody of it is left, or it became another user's
        os.killpg(group, signal.SIGKILL)
