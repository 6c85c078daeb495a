import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from cli.jobs.ledger_options import complete_job, reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.jobs.repeats import origins_of
from cli.jobs.workload_lines import WorkloadLines
from cli.system.paths import results_folder
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cli.views.task_view import task_tables
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.ledger.job import Job
from cloudkon.printable import one_line
from cloudkon.reports.task_logs import read_log
from cloudkon.reports.task_lookup import TaskRecord, find_id, find_line
from cloudkon.telemetry.tracing import console_link
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.lines import Line
from cloudkon.workload.planning import is_header
from cloudkon.workload.task_line import is_task_line

_MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class _AskedTask:
    """What was written on the command line; one of word, line and id is given."""

    job: str | None
    """None means the latest."""
    word: str | None = None
    """The number of a line, or an id."""
    line: int | None = None
    id: str | None = None


@click.command()
@click.argument("words", nargs=-1, metavar="[JOB] TASK", shell_complete=complete_job)
@click.option("--task", "number", type=click.IntRange(min=1), metavar="N", help="The number of the task's line.")
@click.option("--id", "id_", metavar="ID", help="The id that the workload gives the task; for ids that are numbers.")
@json_option
@reads_ledgers
@uses_clock
def explain(
    ledgers: Ledgers, words: Sequence[str], number: int | None, id_: str | None, *, clock: Clock, output: Output
) -> None:
    """Show everything known about one task of JOB, by default the latest: its line, error, workers, times and output.

    TASK is the number of its line, as results and failed show it, or the id that the workload gives it. A number is a
    line's, if there is such a line; --id names the task that has it as its id.

    \b
    Examples:
      cloudkon-cli explain 17
      cloudkon-cli explain tasks-k3vq7xwz5a2m 17
      cloudkon-cli explain tasks-k3vq7xwz5a2m video-7 --json
      cloudkon-cli explain --id 2024
    """
    asked = _asked_for(words, number, id_)
    found = ledgers.find(asked.job)
    if asked.job is None and asked.word is not None and found.records.ledger.job(asked.word) is not None:
        raise click.UsageError(f"Name a task of {asked.word}, by the number of its line or by its id.")
    known = _find_asked(found, asked)
    told = _job_fields(found.job) | _trace(found) | known.as_json(clock.now_ms()) | _output(found, known)
    if known.result is not None and (log := read_log(found.records.results, known.result)) is not None:
        told["log"] = log
    told |= _origin(found, known)
    line = _read_line(found, known)
    if line is not None:
        told["line"] = line.text
    _refuse_line_without_task(known, line)
    output.value(told, task_tables(told))


def _asked_for(words: Sequence[str], line: int | None, id_: str | None) -> _AskedTask:
    """Read [JOB] TASK, or [JOB] beside an option that names the task."""
    is_named = line is not None or id_ is not None
    most = 1 if is_named else 2
    if len(words) > most or (line is not None and id_ is not None) or not (is_named or words):
        raise click.UsageError("Name one task, by the number of its line or by its id: [JOB] TASK.")
    if is_named:
        return _AskedTask(words[0] if words else None, line=line, id=id_)
    return _AskedTask(words[0] if len(words) == most else None, word=words[-1])


def _find_asked(found: FoundJob, asked: _AskedTask) -> TaskRecord:
    """Find the task; say on stderr which others could have been meant."""
    if asked.id is not None or (asked.word is not None and not asked.word.isdecimal()):
        return _by_id(found, asked.id or asked.word or "")
    line = int(asked.word or 0) if asked.line is None else asked.line
    if line < 1:
        raise click.UsageError("Lines are numbered from 1.")
    try:
        known = find_line(found.records.ledger, found.records.results, found.job, line)
    except NotFoundError:
        if asked.word is None or not (same := _of_id(found, asked.word)):
            raise
        return same[0]
    if asked.word is not None and known.result is not None and known.result.id not in (None, asked.word):
        _tell_of_id(found, asked.word)
    return known


def _by_id(found: FoundJob, id_: str) -> TaskRecord:
    first, *others = find_id(found.records.ledger, found.job, id_)
    if others:
        lines = ", ".join(f"{record.line:,}" for record in others[:_MOST_LINES])
        more = f" and {len(others) - _MOST_LINES:,} more" if len(others) > _MOST_LINES else ""
        click.echo(
            f"Line {first.line:,} is shown. The same id has line {lines}{more}: name it by its number.", err=True
        )
    return first


def _tell_of_id(found: FoundJob, id_: str) -> None:
    """Of a number that is a line's, where tasks have ids, say which task has it as its id."""
    if same := _of_id(found, id_):
        click.echo(f"Line {id_} is shown. The id {id_} has line {same[0].line:,}: explain --id {id_}", err=True)


def _of_id(found: FoundJob, id_: str) -> Sequence[TaskRecord]:
    try:
        return find_id(found.records.ledger, found.job, id_)
    except NotFoundError:
        return ()


def _job_fields(job: Job) -> dict[str, Any]:
    return {"job": job.id, "cancelled": job.cancelled_ms is not None, "paused": job.pause_reason}


def _trace(found: FoundJob) -> dict[str, str]:
    """The job's trace, and where AWS shows it; an emulator at an endpoint of its own has no such page."""
    trace, cloud = found.job.trace, found.records.cloud
    if trace is None:
        return {}
    is_aws = cloud is not None and not os.environ.get("AWS_ENDPOINT_URL")
    return {"trace": trace} | ({"trace_at": console_link(trace, cloud.names.region)} if cloud and is_aws else {})


def _origin(found: FoundJob, known: TaskRecord) -> dict[str, Any]:
    """Where the task stood in the first job, if this one repeats tasks of it."""
    origins = origins_of(found)
    line = None if origins is None else origins.line(known.line)
    return {} if origins is None or line is None else {"first_job": origins.job, "first_line": line}


def _read_line(found: FoundJob, known: TaskRecord) -> Line | None:
    """The line itself, if it can still be read: what the ledger knows is worth telling without it."""
    numbering = LineOffsets(found.records.ledger.dispatched(found.job.id))
    try:
        line = next(WorkloadLines(found).lines(numbering, [known.line]), None)
    except CloudKonError:
        return None
    return line if isinstance(line, Line) else None


def _refuse_line_without_task(known: TaskRecord, line: Line | None) -> None:
    if known.row is None and known.reject is None and line is not None and not is_task_line(line.text):
        what = "an option line" if is_header(line.text) else "blank or a comment"
        raise NotFoundError(f"Line {known.line:,} is {what}: {one_line(line.text)!r}. It is no task.")


def _output(found: FoundJob, known: TaskRecord) -> dict[str, str]:
    result, records = known.result, found.records
    if result is None or result.output is None:
        return {}
    if records.cloud is not None:
        return {"output_at": f"s3://{records.cloud.names.results_bucket}/{result.output}"}
    if records.file is not None:
        return {"output_at": str(results_folder(records.file) / result.output)}
    return {}
