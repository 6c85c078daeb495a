"""A bar at the bottom of a terminal; what is said on stderr meanwhile appears above it."""

import sys
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import Progress

from cli.terminal.above_bar import AboveBar
from cli.terminal.columns import columns


class Bar:
    """Of one line: what it is about, how much of it is done, counts, and times. Nothing is drawn but on a terminal."""

    def __init__(self, stderr: TextIO) -> None:
        self._stderr = stderr
        self._console = Console(file=stderr)
        self._above = AboveBar(self._console, stderr)
        self._progress = Progress(
            *columns(self._console),
            console=self._console,
            transient=True,
            expand=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self._console.is_terminal,
        )
        self._line = self._progress.add_task("", total=None, counts="", visible=False)

    def begin(self, description: str, total: int) -> None:
        self._progress.update(self._line, description=description, total=total, visible=True)

    def advance(self, by: int, counts: str) -> None:
        self._progress.update(self._line, advance=by, counts=counts)

    def describe(self, description: str) -> None:
        self._progress.update(self._line, description=description)

    def __enter__(self) -> Self:
        self._progress.start()
        if self._console.is_terminal:
            sys.stderr = self._above.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            sys.stderr = self._stderr
            self._above.__exit__(kind, error, trace)
        self._progress.stop()
