"""What a task prints and logs, kept for the task: stdout, stderr and logging, told apart by the context that runs it.

A task's own thread, its coroutines, and whatever else runs in a copy of its context write into its log. A thread that a
handler starts has a context of its own in Python, and its prints belong to no task.
"""

import io
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

MAX_HEAD_CHARACTERS = MAX_TAIL_CHARACTERS = 256 * 1024
"""Of a longer log the beginning and the end are kept."""


class TaskLog:
    """The text of one run of one task, bounded; any number of threads may write."""

    __slots__ = ("_head", "_head_left", "_left_out", "_line", "_tail", "_tail_size")

    def __init__(self) -> None:
        self._head: list[str] = []
        self._head_left = MAX_HEAD_CHARACTERS
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._left_out = 0
        self._line = ""

    def write(self, text: str) -> None:
        """Add text at the end."""
        if self._head_left > 0:
            self._head.append(text[: self._head_left])
            text, self._head_left = text[self._head_left :], self._head_left - len(text)
        if text:
            self._tail.append(text[-MAX_TAIL_CHARACTERS:])
            self._left_out += max(0, len(text) - MAX_TAIL_CHARACTERS)
            self._tail_size += min(len(text), MAX_TAIL_CHARACTERS)
            while self._tail_size - len(self._tail[0]) >= MAX_TAIL_CHARACTERS:
                dropped = len(self._tail.popleft())
                self._tail_size -= dropped
                self._left_out += dropped

    def whole_lines(self, text: str) -> str:
        """What of the text, and of earlier texts, is whole lines; the rest waits for the end of its line."""
        lines, end, rest = (self._line + text).rpartition("\n")
        self._line = rest
        return lines + end

    def last_line(self) -> str:
        """What waits for the end of its line, when there will be none."""
        line, self._line = self._line, ""
        return f"{line}\n" if line else ""

    @property
    def text(self) -> str:
        middle = f"\n[... {self._left_out:,} characters are left out ...]\n" if self._left_out else ""
        return f"{''.join(self._head)}{middle}{''.join(self._tail)}"


FindLog = Callable[[], TaskLog | None]


class _Stream(io.TextIOBase):
    """In place of stdout or stderr: a task's text goes into its log, and by whole lines to what lies beneath."""

    def __init__(self, beneath: TextIO, find_log: FindLog) -> None:
        self.beneath = beneath
        self._find_log = find_log

    def write(self, text: str) -> int:
        if not isinstance(text, str):  # who asks a stream by an empty write which of the two it takes is told
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        log = self._find_log()
        if log is not None:
            log.write(text)
            text, size = log.whole_lines(text), len(text)
        else:
            size = len(text)
        if text:
            with suppress(OSError, ValueError):  # closed, full, or with nobody at its end: the log has it
                self.beneath.write(text)
        return size

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self.beneath.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.beneath.isatty()

    def fileno(self) -> int:
        return self.beneath.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # (of TextIOBase it is an attribute)
        return self.beneath.encoding

    @property
    def buffer(self) -> object:
        """Bytes that are written past the text belong to no task."""
        return self.beneath.buffer


class _LogHandler(logging.Handler):
    """Writes what a task logs into its log; to stderr it goes by the handlers that there are, or as without any."""

    def __init__(self, find_log: FindLog, beneath: TextIO, *, alone: bool) -> None:
        super().__init__()
        self._find_log = find_log
        self._beneath = beneath
        self._alone = alone

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = f"{self.format(record)}\n"
        except Exception:  # noqa: BLE001 (arguments that don't fit the message are the handler's mistake, not its end)
            text = f"{record.msg!r:.1000} can't be logged with its arguments\n"
        log = self._find_log()
        if log is not None:
            log.write(f"{record.levelname} {record.name}: {text}")
        if self._alone and record.levelno >= logging.WARNING:
            with suppress(OSError, ValueError):
                self._beneath.write(text)


@contextmanager
def capturing(find_log: FindLog, *, keeps_stdout: bool = False) -> Iterator[None]:
    """Let what tasks print and log go into their logs until the end of the block, and on to stderr.

    Nothing of it goes to stdout, which belongs to the command; keeps_stdout: what goes there goes on going there, as in
    a program that runs tasks among other things. Whoever has replaced the streams meanwhile keeps them. find_log is
    called by any thread.
    """
    root, before, level = logging.getLogger(), (sys.stdout, sys.stderr), logging.getLogger().level
    handler = _LogHandler(find_log, sys.stderr, alone=not root.handlers)
    root.addHandler(handler)
    if len(root.handlers) == 1 and level > logging.INFO:  # whoever has set logging up has chosen a level
        root.setLevel(logging.INFO)
    stderr = _Stream(sys.stderr, find_log)
    stdout = _Stream(sys.stdout, find_log) if keeps_stdout else stderr
    sys.stdout, sys.stderr = stdout, stderr
    try:
        yield
    finally:
        if not keeps_stdout or sys.stdout is stdout:
            sys.stdout = before[0]
        if not keeps_stdout or sys.stderr is stderr:
            sys.stderr = before[1]
        root.removeHandler(handler)
        root.setLevel(level)
