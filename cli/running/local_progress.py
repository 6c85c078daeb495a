"""The progress of a LOCAL run: a bar on a terminal, silence in a pipe."""

import sys
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli.terminal.above_bar import AboveBar
from cloudkon.ledger.job import Job


class LocalProgress:
    """Counts the tasks that finish; any thread may tell it. In its block, what is said on stderr is above the bar."""

    def __init__(self) -> None:
        self._stderr = sys.stderr
        self._console = Console(file=self._stderr)
        self._above = AboveBar(self._console, self._stderr)
        self._counts: Counter[str] = Counter()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[counts]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            expand=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self._console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=None, counts="", visible=False)

    def begin(self, job: Job) -> None:
        """Show the bar; its length is the plan's estimate, which is exact for small workloads."""
        self._progress.update(self._bar, description=job.id, total=max(1, job.tasks_estimate), visible=True)

    def finished(self, states: Mapping[str, int]) -> None:
        """Count tasks that have ended, by their states."""
        self._counts.update(states)
        if not self._console.is_terminal:
            return
        counts = ", ".join(f"{count:,} {state}" for state, count in sorted(self._counts.items(), reverse=True))
        self._progress.update(self._bar, advance=sum(states.values()), counts=counts)

    def end(self) -> None:
        self._progress.update(self._bar, description="reading the ledger")

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
