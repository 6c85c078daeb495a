"""What stands beside a bar, and the bar itself where a terminal has no signs to draw one."""

import os

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from cli.terminal.style import has_unicode
from cli.terminal.units import rate

_WIDE, _PLAIN_BAR = 100, 20
"""Columns: of a terminal that has room for rate and time left, and of a bar in ASCII."""


def columns(console: Console) -> list[ProgressColumn]:
    """What it is about, the bar, how far it is, counts; and on a wide terminal the rate and the time that is left."""
    has_bar = has_unicode(os.environ, console.encoding)
    found: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None) if has_bar else _PlainBar(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[counts]}", markup=False),
    ]
    return [*found, _Rate(), _TimeLeft(compact=True)] if console.width >= _WIDE else found


class _Rate(ProgressColumn):
    """Tasks a second, lately."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else rate(speed))


class _TimeLeft(TimeRemainingColumn):
    """The time that is left, as long as it is known; a bare time could be any."""

    def render(self, task: Task) -> Text:
        left = super().render(task)
        return Text.assemble(left, " left") if any(character.isdigit() for character in left.plain) else Text("")


class _PlainBar(ProgressColumn):
    """A bar of signs that every terminal has."""

    def render(self, task: Task) -> Text:
        done = int((task.percentage or 0) / 100 * _PLAIN_BAR)
        return Text(f"[{'#' * done}{'.' * (_PLAIN_BAR - done)}]")
