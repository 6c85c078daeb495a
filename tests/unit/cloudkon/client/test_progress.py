"""Where progress is shown, and what it says."""

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from cloudkon.client.progress import Progress, line_to_show_on
from tests.support.manual_clock import ManualClock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(*, wanted: bool | None) -> None:
    with Progress("tasks-abc", line_to_show_on(wanted=wanted), ManualClock()) as progress:
        progress.show(3)
        for state in ("succeeded", "failed", "succeeded"):
            progress.count(state)
            progress.show(3)


def test_a_terminal_has_a_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the last line stands alone and is removed at the end; it is rewritten a few times a second only."""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    shown(wanted=None)
    parts = [part.strip() for part in terminal.getvalue().split("\r")]
    assert parts == ["", "tasks-abc  0 of 3 tasks", "tasks-abc  3 of 3 tasks: 2 succeeded, 1 failed", "", ""]


def test_a_pipe_stays_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody looks on, and where it is not wanted, nothing is shown; who wants it gets it in a pipe, too."""
    monkeypatch.setattr(sys, "stderr", pipe := io.StringIO())
    shown(wanted=None)
    assert pipe.getvalue() == ""
    shown(wanted=True)
    assert "3 of 3" in pipe.getvalue()
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    shown(wanted=False)
    assert terminal.getvalue() == ""


def test_a_notebook_has_a_text_below_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook IPython shows one text, which is updated and stays; IPython at a terminal has a terminal."""
    texts: list[str] = []

    def display(data: dict[str, str], **_: Any) -> Any:
        texts.append(data["text/plain"])
        return SimpleNamespace(update=lambda data, **_: texts.append(data["text/plain"]))

    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    shown(wanted=None)
    assert texts == ["tasks-abc  0 of 3 tasks", "tasks-abc  3 of 3 tasks: 2 succeeded, 1 failed"]
    del shell.kernel
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    shown(wanted=None)
    assert "3 of 3" in terminal.getvalue()
