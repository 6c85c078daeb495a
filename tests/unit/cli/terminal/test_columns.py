"""The bar of a run on terminals of several kinds."""

import sys
from dataclasses import replace

import pytest

from cli.running.local_progress import LocalProgress
from tests.support.data.recorded import job
from tests.unit.cli.terminal.test_above_bar import Terminal


def drawn(monkeypatch: pytest.MonkeyPatch, width: int, locale: str) -> str:
    """What a run of four tasks shows when two have ended."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    for name, value in {"TERM": "xterm", "COLUMNS": str(width), "LC_ALL": locale, "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    with LocalProgress() as progress:
        progress.begin(replace(job(), tasks_estimate=4))
        progress.finished({"succeeded": 2})
    return terminal.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_bar_is_drawn_in_ascii_where_there_is_no_more(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """In the locale C it is seen how much is done, whatever the width, and the count stays whole."""
    shown = drawn(monkeypatch, width, "C")
    assert "[##########..........]" in shown
    assert "2 succeeded" in shown


def test_times_say_what_they_are() -> None:
    """No bare time stands beside the bar: one could not know whether it has passed or is left."""
    with pytest.MonkeyPatch.context() as patched:
        shown = drawn(patched, 120, "C.UTF-8")
    assert "0:00" not in shown.replace("00:00 left", "")
