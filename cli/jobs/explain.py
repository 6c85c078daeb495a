from typing import Any

import click

from cli.jobs.ledger_options import reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.jobs.workload_lines import WorkloadLines
from cli.system.paths import results_folder
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output, json_line
from cli.terminal.tables import Table
from cli.terminal.units import duration, moment
from cli.views.stats_view import rest_name
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

_MEANING = {
    "succeeded": "it ran, and its result is recorded",
    "failed": "it ran, and its last run failed",
    "rejected": "it can't be run as it stands",
    "waiting": "no worker has claimed its bundle yet: its message waits on the task queue",
    "undispatched": "its part of the workload has not been dispatched yet",
    "held": "a worker holds its bundle, and runs it or will",
    "abandoned": "its worker has not been heard of: whoever receives its message next takes it over",
    "retrying": "it failed, and is run again when its message comes back",
    "released": "its worker gave it back: whoever receives its message next runs it",
}
_STAMPS = (
    ("dropped", "event_ms"),
    ("sent", "sent_ms"),
    ("received", "received_ms"),
    ("claimed", "claimed_ms"),
    ("began", "start_ms"),
    ("recorded", "recorded_ms"),
    ("completed", "completed_ms"),
    ("leased until", "lease_until_ms"),
)


@click.command()
@click.argument("job")
@click.argument("task", required=False, metavar="[TASK]")
@click.option("--task", "number", type=click.IntRange(min=1), metavar="N", help="The number of the task's line.")
@json_option
@reads_ledgers
@uses_clock
def explain(ledgers: Ledgers, job: str, task: str | None, number: int | None, *, clock: Clock, output: Output) -> None:
    """Show everything known about one task of JOB: its line, its error, its workers, its times and its output.

    TASK is the number of its line, as results and failed show it, or the id that the workload gives it.

    \b
    Examples:
      cloudkon-cli explain tasks-k3vq7xwz5a2m 17
      cloudkon-cli explain tasks-k3vq7xwz5a2m video-7 --json
    """
    if (task is None) == (number is None):
        raise click.UsageError("Name one task: by the number of its line, or by its id.")
    found = ledgers.find(job)
    known = _find_task(found, task, number)
    told = _job_fields(found.job) | _trace(found) | known.as_json(clock.now_ms()) | _output(found, known)
    if known.result is not None and (log := read_log(found.records.results, known.result)) is not None:
        told["log"] = log
    line = _read_line(found, known)
    if line is not None:
        told["line"] = line.text
    _refuse_line_without_task(known, line)
    output.value(told, _tables(told))


def _job_fields(job: Job) -> dict[str, Any]:
    return {"job": job.id, "cancelled": job.cancelled_ms is not None, "paused": job.pause_reason}


def _trace(found: FoundJob) -> dict[str, str]:
    """The job's trace, and where AWS shows it if it was told to X-Ray."""
    trace, cloud = found.job.trace, found.records.cloud
    if trace is None:
        return {}
    return {"trace": trace} | ({} if cloud is None else {"trace_at": console_link(trace, cloud.names.region)})


def _meaning(told: dict[str, Any]) -> str:
    state = told["state"]
    if state in ("succeeded", "failed", "rejected"):
        return _MEANING[state]
    if told["cancelled"]:
        return "its job was cancelled, so it will not be begun"
    return _MEANING[state] + (f"; the job is paused: {one_line(told['paused'])}" if told["paused"] else "")


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


def _tables(told: dict[str, Any]) -> list[Table | str]:
    rows = [
        ("job", told["job"]),
        ("task", f"{told['task']:,}"),
        ("state", f"{told['state']}: {_meaning(told)}"),
    ]
    said = {"line": "line", "id": "id", "error": "reason", "raised_at": "raised at", "output_at": "output"}
    rows += [(name, one_line(str(told[key]), 1_000)) for key, name in said.items() if key in told]
    if "value" in told:
        rows.append(("value", one_line(json_line(told["value"]), 1_000)))
    if "bundle" in told:
        rows.append(
            ("bundle", f"{told['bundle']}, {told['bundle_state']}; {told['place']} of {told['tasks_in_bundle']}")
        )
    rows += [(name, told[key]) for name, key in (("trace", "trace"), ("trace at", "trace_at")) if key in told]
    if "runs" in told:
        rows.append(("runs", str(told["runs"])))
    if told.get("strikes"):
        rows.append(("strikes", f"{told['strikes']}: so often its worker died while it ran"))
    rows += [(name, moment(told[key])) for name, key in _STAMPS if told.get(key) is not None]
    log = ["log:", *(f"  {line}" for line in told["log"].rstrip("\n").split("\n")), ""] if "log" in told else []
    return [Table((), ("left", "left"), rows), *log, _attempts(told), _stages(told), _handler_stages(told)]


def _attempts(told: dict[str, Any]) -> Table:
    rows = [
        (str(attempt["attempt"]), attempt["worker"], "its result is of this one" if attempt["last_ran"] else "")
        for attempt in told.get("attempts", [])
    ]
    return Table(("attempt", "worker", ""), ("right", "left", "left"), rows)


def _stages(told: dict[str, Any]) -> Table:
    rows = [(name.replace("_", " "), duration(ms)) for name, ms in told.get("stages_ms", {}).items()]
    return Table(("stage", "took"), ("left", "right"), rows)


def _handler_stages(told: dict[str, Any]) -> Table:
    """Where the time of the last run went, also of one that failed; the parts add up to the run."""
    run_ms, stages = told.get("duration_ms", 0.0), told.get("handler_stages_ms", {})
    rows = [(name, duration(ms), f"{min(1, ms / run_ms):.1%}" if run_ms else "-") for name, ms in stages.items()]
    rest_ms = run_ms - sum(stages.values())
    if rows and rest_ms > 0:
        rows.append((rest_name(stages), duration(rest_ms), f"{rest_ms / run_ms:.1%}"))
    return Table(("stage of the run", "took", "of it"), ("left", "right", "right"), rows)
