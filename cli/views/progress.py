"""Shows how a job goes on: a bar on a terminal, now and then a line where nobody looks."""

from collections.abc import Iterable, Iterator

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from cli.terminal.columns import columns
from cloudkon.clock import Clock
from cloudkon.printable import one_line
from cloudkon.reports.stats import JobStats

_LINE_EVERY_S = 5.0


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
    bars: dict[str, TaskID] = {}
    with Progress(*columns(console), console=console, transient=True, expand=True) as progress:
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
