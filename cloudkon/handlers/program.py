"""Runs programs for handlers, each in a process group of its own, which ends with the task's time however it forks."""

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from cloudkon.handlers.deadline import TimedOutError, remaining_s

MAX_OUTPUT_BYTES = 64 * 1024
"""What is kept of stdout, and of stderr: their ends."""
_READ_BYTES = 64 * 1024

# A process has one table of children, and whoever ends the process ends them all.
_lock = threading.Lock()
_groups: set[int] = set()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and the last that it said."""

    exit_code: int
    stdout: str
    stderr: str


def run_program(command: Sequence[str]) -> Ended:
    """Run a program to its end, without a shell; its whole process group is killed when the task's time is over.

    Raises TimedOutError then, and OSError if it can't be started. What it leaves running is ended with it.
    """
    timeout_s = remaining_s()
    with subprocess.Popen(  # noqa: S603 (running the author's command is the task)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    ) as program:
        with _lock:
            _groups.add(program.pid)
        said = [_Tail(stream) for stream in (program.stdout, program.stderr) if stream is not None]
        try:
            exit_code = program.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimedOutError(timeout_s or 0.0) from None
        finally:
            _kill_group(program.pid)
            program.wait()
            for tail in said:
                tail.join()
            with _lock:
                _groups.discard(program.pid)
    return Ended(exit_code, *(tail.text for tail in said))


def end_programs() -> None:
    """Kill every program that is still running: their tasks are given back, so nobody may go on with them."""
    with _lock:
        groups = list(_groups)
    for group in groups:
        _kill_group(group)


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):  # nobody of it is left
        os.killpg(group, signal.SIGKILL)


class _Tail(threading.Thread):
    """Reads a stream to its end and keeps the last of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._kept = b""
        self.start()

    def run(self) -> None:
        while data := self._stream.read(_READ_BYTES):
            self._kept = (self._kept + data)[-MAX_OUTPUT_BYTES:]

    @property
    def text(self) -> str:
        return self._kept.decode(errors="replace")
