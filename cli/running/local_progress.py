"""The progress of a LOCAL run: a bar on a terminal, silence in a pipe."""

import os
import sys
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cloudkon.ledger.job import Job

if TYPE_CHECKING:
    from cli.terminal.bar import Bar

_TERMINAL_VARIABLES = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""By these a person says that a stream is to be taken for a terminal; rich has the last word about it."""


class LocalProgress:
    """Counts the tasks that finish; any thread may tell it. In its block, what is said on stderr is above the bar."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._bar = _bar() if sys.stderr.isatty() or any(map(os.environ.get, _TERMINAL_VARIABLES)) else None

    def begin(self, job: Job) -> None:
        """Show the bar; its length is the plan's estimate, which is exact for small workloads."""
        if self._bar is not None:
            self._bar.begin(job.id, max(1, job.tasks_estimate))

    def finished(self, states: Mapping[str, int]) -> None:
        """Count tasks that have ended, by their states."""
        if self._bar is None:
            return
        self._counts.update(states)
        counts = ", ".join(f"{count:,} {state}" for state, count in sorted(self._counts.items(), reverse=True))
        self._bar.advance(sum(states.values()), counts)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.describe("reading the ledger")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)


def _bar() -> "Bar":
    from cli.terminal.bar import Bar  # noqa: PLC0415 (rich takes a tenth of a command's start, and a pipe has no bar)

    return Bar(sys.stderr)
