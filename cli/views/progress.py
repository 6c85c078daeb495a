"""Shows how a job goes on: a bar on a terminal, now and then a line where nobody looks."""

import os
from collections.abc import Iterable, Iterator

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from cli.terminal.style import has_unicode
from cli.terminal.units import rate
from cloudkon.clock import Clock
from cloudkon.printable import one_line
from cloudkon.reports.stats import JobStats

_LINE_EVERY_S = 5.0
_WIDE, _PLAIN_BAR = 100, 20
"""Columns: of a terminal that has room for rate and time left, and of a bar in ASCII."""


def show_progress(updates: Iterable[JobStats], clock: Clock) -> JobStats:
    """Show each update of one job on stderr as it comes; return the last."""
    (last,) = show_all(updates, clock).values()
    return last


def show_all(updates: Iterable[JobStats], clock: Clock) -> dict[str, JobStats]:
    """Show each update of one or several jobs on stderr as it comes; return the last of each, by the job's id."""
    console = Console(stderr=True)
    shown = _bars(updates, console) if console.is_terminal else _lines(updates, clock)
    return {stats.job.id: stats for stats in shown}


def _bars(updates: Iterable[JobStats], console: Console) -> Iterator[JobStats]:
    has_bar = has_unicode(os.environ, console.encoding)
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None) if has_bar else _PlainBar(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[counts]}", markup=False),
    ]
    if console.width >= _WIDE:
        columns += [_Rate(), TimeRemainingColumn(compact=True)]
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=True, expand=True) as progress:
        for stats in updates:
            if stats.job.id not in bars:
                bars[stats.job.id] = progress.add_task("", total=None, counts="")
            # A bar of no tasks is full, and one whose length is still a guess is drawn by the guess.
            progress.update(
                bars[stats.job.id],
                description=stats.job.id,
                total=max(1, stats.tasks.total),
                completed=stats.tasks.ended if stats.tasks.total else 1,
                counts=counts(stats),
            )
            yield stats


class _Rate(ProgressColumn):
    """Tasks a second, lately."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else rate(speed))


class _PlainBar(ProgressColumn):
    """A bar of signs that every terminal has."""

    def render(self, task: Task) -> Text:
        done = int((task.percentage or 0) / 100 * _PLAIN_BAR)
        return Text(f"[{'#' * done}{'.' * (_PLAIN_BAR - done)}]")


def _lines(updates: Iterable[JobStats], clock: Clock) -> Iterator[JobStats]:
    said: dict[str, tuple[str, float]] = {}
    for stats in updates:
        line = f"{stats.job.id} {stats.state.value}: {counts(stats)}"
        before, before_s = said.get(stats.job.id, ("", -_LINE_EVERY_S))
        if line != before and clock.monotonic_s() - before_s >= _LINE_EVERY_S and not stats.ended:
            click.echo(line, err=True)
            said[stats.job.id] = line, clock.monotonic_s()
        yield stats


def counts(stats: JobStats, *, running: bool = True) -> str:
    """How far the tasks are; what did not happen is not mentioned."""
    tasks = stats.tasks
    parts = [f"{tasks.succeeded:,}/{tasks.total:,} succeeded"]
    parts += [f"{tasks.failed:,} failed"] if tasks.failed else []
    parts += [f"{tasks.rejected:,} rejected"] if tasks.rejected else []
    parts += [f"{tasks.running:,} running"] if tasks.running and running else []
    parts += [f"paused: {one_line(stats.paused)}"] if stats.paused else []
    return ", ".join(parts)
