"""Text that appears on a terminal above a bar that is drawn there, however much there is of it."""

import io
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, ConsoleOptions
from rich.segment import Segment

_EVERY_S = 0.1
_MOST_WAITING_CHARACTERS = 256 * 1024
"""Whoever has written more than this waits until the terminal has taken it."""


class AboveBar(io.TextIOBase):
    """A stream whose text is shown above what the console draws at the bottom, many lines at once.

    rich's own stream draws the bar again for each line, and two threads that print through it may wait for each other.
    Any thread may write, until the end of the block.
    """

    def __init__(self, console: Console, beneath: TextIO) -> None:
        self._console = console
        self._beneath = beneath
        self._lock = threading.Lock()
        self._waiting: list[str] = []
        self._size = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show_now_and_then, name="above-bar", daemon=True)

    def write(self, text: str) -> int:
        with self._lock:
            self._waiting.append(text)
            self._size += len(text)
            is_much = self._size > _MOST_WAITING_CHARACTERS
        if is_much or self._over.is_set():
            self._show(whole=self._over.is_set())
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._beneath.isatty()

    def fileno(self) -> int:
        return self._beneath.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # (of TextIOBase it is an attribute)
        return self._beneath.encoding

    @property
    def buffer(self) -> object:
        """Bytes go past the bar."""
        return self._beneath.buffer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._show(whole=True)

    def _show_now_and_then(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._show()

    def _show(self, *, whole: bool = False) -> None:
        """Show the lines that wait; a line without its end only if nothing can follow."""
        with self._lock:
            text = "".join(self._waiting)
            cut = len(text) if whole else text.rfind("\n") + 1
            self._waiting = [text[cut:]]
            self._size = len(text) - cut
            if cut:
                self._console.print(_Raw(text[:cut]), end="", crop=False)


class _Raw:
    """Text that is written as it is: no line of it is looked at."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        yield Segment(self._text)
