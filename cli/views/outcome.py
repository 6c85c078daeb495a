"""What a person reads when a job has ended: one line of outcome, why tasks failed, and the command to type next."""

import re
import sys
from collections.abc import Iterator, Sequence
from shutil import get_terminal_size

import click

from cli.terminal.output import Output
from cli.terminal.style import coloured, in_this_locale
from cli.terminal.tables import drawn
from cli.terminal.units import counted, duration
from cli.views.error_table import error_table
from cloudkon.ledger.job import JobState
from cloudkon.ledger.results import TaskState
from cloudkon.ports import LedgerReader, ObjectStore
from cloudkon.printable import one_line
from cloudkon.reports.error_groups import ErrorGroup, group_errors
from cloudkon.reports.stats import JobStats
from cloudkon.reports.task_results import task_results

_MOST_REASONS = 5
_CURES = {
    "no handler is named": "Load the Python module that has the handler: add --tasks MODULE",
    "--allow shell": "Allow commands, if you trust this workload: add --allow shell",
}
"""What to add to a command whose tasks were rejected for this reason."""

_NO_NAME = re.compile(r"no handler is named '(?:[^']*[/.]|[-\d])")


def error_groups(reader: LedgerReader, store: ObjectStore, stats: JobStats) -> Sequence[ErrorGroup]:
    """Why tasks of the job did not succeed; the results are read only if there are such tasks."""
    if not stats.tasks.failed and not stats.tasks.rejected:
        return []
    return group_errors(task_results(reader, store, stats.job))


def say_outcome(
    output: Output, stats: JobStats, groups: Sequence[ErrorGroup], options: str = "", *, named: bool = False
) -> None:
    """Say on stderr how the job ended, with its id if it is one of several.

    The options, such as " --ledger FILE", lead the next command to this job's ledger.
    """
    if output.is_text:
        for line in outcome_lines(stats, groups, options, named=named):
            click.echo(in_this_locale(line), err=True)


def outcome_line(stats: JobStats) -> str:
    """How the job ended, in a line: what a command that ran it answers on stdout."""
    return in_this_locale(_first_line(stats, ""))


def say_what_next(output: Output, stats: JobStats, groups: Sequence[ErrorGroup], options: str = "") -> None:
    """Say on stderr why tasks failed, and the command to type next, for whom outcome_line has told the rest."""
    if output.is_text:
        for line in _lines_after_the_first(stats, groups, options):
            click.echo(in_this_locale(line), err=True)


def outcome_lines(
    stats: JobStats, groups: Sequence[ErrorGroup], options: str = "", *, named: bool = False
) -> Iterator[str]:
    """The lines, in the order of their importance."""
    yield _first_line(stats, f"{stats.job.id}: " if named else "")
    yield from _lines_after_the_first(stats, groups, options)


def _lines_after_the_first(stats: JobStats, groups: Sequence[ErrorGroup], options: str) -> Iterator[str]:
    if groups:
        yield from (f"  {line}" for line in drawn(error_table(groups[:_MOST_REASONS]), _width()))
        if len(groups) > _MOST_REASONS:
            more = counted(len(groups) - _MOST_REASONS, "more reason")
            yield f"  and {more}: cloudkon-cli failed {stats.job.id}{options}"
    yield from _next(stats, groups, options)


def went_well(stats: JobStats) -> bool:
    """Whether every line that claims to be a task succeeded."""
    return stats.state is JobState.COMPLETE and stats.tasks.succeeded == stats.tasks.total


def _first_line(stats: JobStats, name: str) -> str:
    tasks, well = stats.tasks, went_well(stats)
    of = counted(tasks.total, "task")
    done = of if well else f"{tasks.succeeded:,} of {of}"
    left = tasks.running + tasks.pending
    counts = [(tasks.failed, "failed"), (tasks.rejected, "rejected"), (left, "did not run")]
    others = [f"{count:,} {word}" for count, word in counts if count]
    if stats.state is JobState.CANCELLED:
        others.append("cancelled")
    if stats.paused is not None:
        others.append(f"paused: {one_line(stats.paused)}")
    mark, colour = ("✓", "green" if well else "yellow") if tasks.succeeded or well else ("✗", "red")
    rest = f": {', '.join([f'{tasks.succeeded:,} succeeded', *others])}" if others else ""
    return coloured(f"{mark} {name}{done} in {duration(stats.makespan_s * 1000)}", colour) + coloured(rest, "red")


def _width() -> int | None:
    """Of stderr, less the indentation."""
    return get_terminal_size().columns - 2 if sys.stderr.isatty() else None


def _needs(group: ErrorGroup, said: str) -> bool:
    return said in group.example and "Did you mean" not in group.example


def _looks_like_values(stats: JobStats, groups: Sequence[ErrorGroup]) -> bool:
    """Whether no line at all has a handler, and one begins with what is no name: a path, a URL, a number."""
    return stats.tasks.rejected == stats.tasks.total and any(_NO_NAME.match(group.example) for group in groups)


def _next(stats: JobStats, groups: Sequence[ErrorGroup], options: str) -> Iterator[str]:
    job = f"{stats.job.id}{options}"
    cures = [cure for said, cure in _CURES.items() if any(_needs(group, said) for group in groups)]
    failed = next((group for group in groups if group.state == TaskState.FAILED.word), None)
    yield from cures
    if _looks_like_values(stats, groups):
        yield "If the lines are values, such as file names, say what to run for each: add -- COMMAND {}"
    if failed is not None:
        yield f"Look at one: cloudkon-cli explain {stats.job.id} {failed.lines[0]}{options}"
    if failed is not None and not cures:
        yield f"Run them again: cloudkon-cli retry {job}"
    if stats.tasks.rejected and failed is None and not cures:
        yield f"Print their lines: cloudkon-cli export-failed {job} --rejected"
    if not stats.tasks.failed and not stats.tasks.rejected and stats.tasks.succeeded:
        yield f"See the results: cloudkon-cli results {job}"
