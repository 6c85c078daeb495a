"""What check has found, as tables for a person."""

from collections.abc import Iterator

from cli.input.workload_check import FirstTask, WorkloadCheck
from cli.terminal.tables import Table
from cli.terminal.units import counted
from cli.views.error_table import error_table
from cloudkon.printable import one_line

_MOST_NAMES = 8
_MOST_CHARACTERS = 300


def check_tables(shown: str, found: WorkloadCheck) -> Iterator[Table | str]:
    """How many tasks could be run, then what they are, then why others could not."""
    well = found.total - found.rejected
    told = f"{well:,} of {counted(found.total, 'task')} can be run" if found.rejected else counted(found.total, "task")
    yield f"{one_line(shown)}: {told}"
    yield Table((), ("left", "left"), [*_rows(found)])
    yield error_table(found.groups)


def _rows(found: WorkloadCheck) -> Iterator[tuple[str, str]]:
    job, form = found.job, found.form
    if found.names:
        yield "tasks", _names(found)
    if found.unchecked:
        yield "unchecked", f"{', '.join(found.unchecked[:_MOST_NAMES])}: name the handlers' module with --tasks"
    if form is not None:
        how = f"each {form.each}" if form.each is not None else f"task {form.task}" if form.task else "task by column"
        columns = f", columns {', '.join(form.columns[:_MOST_NAMES])}" if form.columns else ""
        yield "values", one_line(f"{form.format.value}{columns}; {how}", _MOST_CHARACTERS)
    if found.bundles:
        cut = f"{counted(found.bundles, 'bundle')} of {job.bundle_size:,} at most, {counted(job.ranges, 'range')}"
        yield "cut into", cut
    options = [("retries", job.retries), ("timeout [s]", job.timeout_s)]
    if told := ", ".join(f"{name} {value:g}" for name, value in options if value is not None):
        yield "options", told
    if found.first is not None:
        yield from _first(found.first)


def _names(found: WorkloadCheck) -> str:
    most = [f"{name} {count:,}" for name, count in found.names.most_common(_MOST_NAMES)]
    more = ", ..." if len(found.names) > len(most) else ""
    return one_line(", ".join(most) + more, _MOST_CHARACTERS)


def _first(first: FirstTask) -> Iterator[tuple[str, str]]:
    yield f"line {first.line:,}", one_line(first.text, _MOST_CHARACTERS)
    if first.arguments:
        bound = ", ".join(f"{name} = {value!r}" for name, value in first.arguments.items())
        yield "called with", one_line(bound, _MOST_CHARACTERS)
