"""Shows how a job goes on: a bar on a terminal, now and then a line where nobody looks."""

from collections import deque
from collections.abc import Iterable, Iterator

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from cli.terminal.units import rate
from cloudkon.clock import Clock
from cloudkon.printable import one_line
from cloudkon.reports.stats import JobStats

_LINE_EVERY_S = 5.0


def show_progress(updates: Iterable[JobStats], clock: Clock) -> JobStats:
    """Show each update on stderr as it comes; return the last."""
    console = Console(stderr=True)
    shown = _bars(updates, console) if console.is_terminal else _lines(updates, clock)
    (last,) = deque(shown, maxlen=1)
    return last


def _bars(updates: Iterable[JobStats], console: Console) -> Iterator[JobStats]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[counts]}", markup=False),
        _Rate(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as progress:
        bar = progress.add_task("", total=None, counts="")
        for stats in updates:
            # A bar of no tasks is full, and one whose length is still a guess is drawn by the guess.
            progress.update(
                bar,
                description=f"{stats.job.id} {stats.state.value}",
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


def _lines(updates: Iterable[JobStats], clock: Clock) -> Iterator[JobStats]:
    said, said_s = "", -_LINE_EVERY_S
    for stats in updates:
        line = f"{stats.job.id} {stats.state.value}: {counts(stats)}"
        if line != said and clock.monotonic_s() - said_s >= _LINE_EVERY_S and not stats.ended:
            click.echo(line, err=True)
            said, said_s = line, clock.monotonic_s()
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
