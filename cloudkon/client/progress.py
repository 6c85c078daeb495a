"""Shows how far a job is: one line that changes, on a terminal or below a notebook's cell; nothing in a pipe."""

import sys
from collections import Counter
from types import TracebackType
from typing import Any, Protocol, Self

from cloudkon.clock import Clock

_EVERY_S = 0.2


class _Line(Protocol):
    def show(self, text: str) -> None: ...

    def end(self) -> None: ...


class _Nothing:
    def show(self, text: str) -> None:
        pass

    def end(self) -> None:
        pass


class _Terminal:
    """A line on standard error, which is gone at the end."""

    def __init__(self) -> None:
        self._width = 0

    def show(self, text: str) -> None:
        sys.stderr.write(f"\r{text.ljust(self._width)}")
        sys.stderr.flush()
        self._width = len(text)

    def end(self) -> None:
        if self._width:
            sys.stderr.write(f"\r{' ' * self._width}\r")
            sys.stderr.flush()


class _Notebook:
    """A text below the cell; it stays there, as what the cell has done."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self._handle: Any = None

    def show(self, text: str) -> None:
        data = {"text/plain": text}
        if self._handle is None:
            self._handle = self._display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def end(self) -> None:
        pass


def line_to_show_on(*, wanted: bool | None) -> _Line:
    """Where progress is shown; None: on a terminal and in a notebook."""
    if wanted is False:
        return _Nothing()
    display = _display_of_notebook()
    if display is not None:
        return _Notebook(display)
    return _Terminal() if wanted or sys.stderr.isatty() else _Nothing()


def _display_of_notebook() -> Any:
    """IPython's display function, if this is a notebook: it is there then, and nothing has to be installed."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    display = sys.modules.get("IPython.display")
    return getattr(display, "display", None)


class Progress:
    """Counts results and shows them, a few times a second."""

    def __init__(self, job: str, line: _Line, clock: Clock) -> None:
        self._job = job
        self._line = line
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._next_s = float("-inf")

    def count(self, state: str) -> None:
        self._counts[state] += 1

    def show(self, total: int, *, at_once: bool = False) -> None:
        """Show the counts out of the total, if the last time is a moment ago."""
        now_s = self._clock.monotonic_s()
        self._total = max(total, self._counts.total())
        if at_once or now_s >= self._next_s:
            self._next_s = now_s + _EVERY_S
            self._line.show(self._text())

    def _text(self) -> str:
        counts = ", ".join(f"{count:,} {state}" for state, count in sorted(self._counts.items(), reverse=True))
        return f"{self._job}  {self._counts.total():,} of {self._total:,} tasks{f': {counts}' if counts else ''}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._total:
            self.show(self._total, at_once=True)
        self._line.end()
