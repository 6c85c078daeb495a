import os
from collections.abc import Sequence
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


@click.command()
@click.argument("words", nargs=-1, metavar="[JOB] TASK", shell_complete=complete_job)
@click.option("--task", "number", type=click.IntRange(min=1), metavar="N", help="The number of the task's line.")
@json_option
@reads_ledgers
@uses_clock
def explain(ledgers: Ledgers, words: Sequence[str], number: int | None, *, clock: Clock, output: Output) -> None:
    """Show everything known about one task of JOB, by default the latest: its line, error, workers, times and output.

    TASK is the number of its line, as results and failed show it, or the id that the workload gives it.

    \b
    Examples:
      cloudkon-cli explain 17
      cloudkon-cli explain tasks-k3vq7xwz5a2m 17
      cloudkon-cli explain tasks-k3vq7xwz5a2m video-7 --json
    """
    job, task = _job_and_task(words, number)
    found = ledgers.find(job)
    if job is None and task is not None and found.records.ledger.job(task) is not None:
        raise click.UsageError(f"Name a task of {task}, by the number of its line or by its id.")
    known = _find_task(found, task, number)
    told = _job_fields(found.job) | _trace(found) | known.as_json(clock.now_ms()) | _output(found, known)
    if known.result is not None and (log := read_log(found.records.results, known.result)) is not None:
        told["log"] = log
    told |= _origin(found, known)
    line = _read_line(found, known)
    if line is not None:
        told["line"] = line.text
    _refuse_line_without_task(known, line)
    output.value(told, task_tables(told))


def _job_and_task(words: Sequence[str], number: int | None) -> tuple[str | None, str | None]:
    """The job and the task that are named; None for a job means the latest, for a task the one of the number."""
    most = 2 if number is None else 1
    if len(words) > most or (number is None and not words):
        raise click.UsageError("Name one task, by the number of its line or by its id: [JOB] TASK.")
    if number is not None:
        return (words[0] if words else None), None
    return (words[0] if len(words) == most else None), words[-1]


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


def _find_task(found: FoundJob, task: str | None, number: int | None) -> TaskRecord:
    ledger = found.records.ledger
    if number is None and task is not None and not task.isdecimal():
        return find_id(ledger, found.job, task)
    line = int(task or 0) if number is None else number
    if line < 1:
        raise click.UsageError("Lines are numbered from 1.")
    return find_line(ledger, found.records.results, found.job, line)


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
