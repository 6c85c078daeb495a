"""What tasks print on a terminal, above the bar of their run."""

import io
import sys
import threading

import pytest

from cli.running.local_progress import LocalProgress
from cloudkon.handlers.context import log_of_task
from cloudkon.handlers.task_log import capturing
from tests.support.data.recorded import job

BAR = "\x1b[2K"


class Terminal(io.StringIO):
    """Counts how often it is written to."""

    writes = 0

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


def terminal_as_stderr(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)  # in the test itself: pytest sets it anew when a test begins
    monkeypatch.setenv("TERM", "xterm")
    return stream


def lines_of(terminal: Terminal, word: str) -> list[str]:
    return [line for line in terminal.getvalue().replace(BAR, "\n").split("\n") if line.startswith(word)]


def test_what_several_threads_print_beside_a_bar_is_all_shown_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread waits for ever for another, whoever draws the bar meanwhile, and no line is lost or torn."""
    terminal = terminal_as_stderr(monkeypatch)
    names = ["red", "green", "blue"]
    expected = {name: [f"{name} {number}" for number in range(2_000)] for name in names}

    def say(name: str, progress: LocalProgress) -> None:
        for line in expected[name]:
            sys.stderr.write(f"{line}\n")
            progress.finished({"succeeded": 1})

    with LocalProgress() as progress, capturing(log_of_task):
        progress.begin(job())
        threads = [threading.Thread(target=say, args=(name, progress), daemon=True) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)
    assert {name: lines_of(terminal, name) for name in names} == expected


def test_many_lines_are_shown_by_few_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar is not drawn again for each line that a task prints."""
    terminal = terminal_as_stderr(monkeypatch)
    with LocalProgress() as progress, capturing(log_of_task):
        progress.begin(job())
        for number in range(20_000):
            sys.stderr.write(f"line {number}\n")
    assert len(lines_of(terminal, "line")) == 20_000
    assert terminal.writes < 2_000


def test_a_line_without_an_end_is_shown_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for its end, so that the bar does not tear it, and is shown when nothing can follow."""
    terminal = terminal_as_stderr(monkeypatch)
    before = sys.stderr
    with LocalProgress():
        sys.stderr.write("half a line")
    assert "half a line" in terminal.getvalue()
    assert sys.stderr is before
