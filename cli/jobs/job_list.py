from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from cli.jobs.ledger_options import reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.jobs.local_runs import read_until_stopped, state_of
from cli.jobs.repeats import repeated_job
from cli.system.paths import source_text
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.style import terminal_width
from cli.terminal.tables import Table
from cli.terminal.units import short_duration
from cloudkon.clock import Clock
from cloudkon.ledger.job import Job
from cloudkon.printable import one_line
from cloudkon.reports.stats import TaskCounts

_MOST_TASKS = 2_000_000
"""How many tasks are counted, over all the jobs that are listed: more would take longer than a list may."""
_MOST_SOURCE = 28


@dataclass(frozen=True, slots=True)
class _Listed:
    """A job, and how far it is; None where counting it would have taken too long."""

    job: Job
    state: str | None
    tasks: TaskCounts | None
    took_s: float | None


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, at most.")
@json_option
@reads_ledgers
@uses_clock
def jobs(ledgers: Ledgers, limit: int, *, clock: Clock, output: Output) -> None:
    """List the latest jobs, the newest first, of this machine and, if AWS is set up, of the stage.

    For each job: its state, how many tasks have ended, how many of them failed or were rejected, how long it took (so
    far, while it runs), and its age. A job that is stopped ran here, and its process has ended before it. With --json,
    a line a job.

    \b
    Examples:
      cloudkon-cli jobs
      cloudkon-cli jobs --limit 1 --json | jq -r .job
    """
    now_ms = clock.now_ms()
    listed = list(_counted(ledgers.recent(limit), now_ms))
    output.listing((_as_json(each) for each in listed), _table(listed, now_ms))
    if not listed:
        output.say("There is no job yet. Run a workload here: cloudkon-cli run LOCAL FILE")
    if any(each.tasks is None for each in listed):
        output.say("Large jobs are not counted here: cloudkon-cli stats JOB")


def _counted(found: Sequence[FoundJob], now_ms: int) -> Iterator[_Listed]:
    left = _MOST_TASKS
    for each in found:
        left -= each.job.tasks_estimate
        if left < 0:
            yield _Listed(each.job, None, None, None)
            continue
        stats = read_until_stopped(each, now_ms).stats
        yield _Listed(each.job, state_of(each, stats), stats.tasks, stats.makespan_s)


def _table(listed: Sequence[_Listed], now_ms: int) -> Table:
    rows = [
        (
            one_line(each.job.id),
            each.state or "-",
            f"about {each.job.tasks_estimate:,}" if each.tasks is None else _done(each.tasks),
            "-" if each.tasks is None else f"{each.tasks.failed + each.tasks.rejected:,}",
            "-" if each.took_s is None else short_duration(each.took_s * 1000),
            short_duration(max(0, now_ms - each.job.opened_ms)),
            _short(source_text(each.job)),
        )
        for each in listed
    ]
    sides: list[Any] = ["left", "left", "right", "right", "right", "right", "left"]
    return Table(("job", "state", "done", "failed", "took", "age", "source"), sides, rows, expendable="source")


def _done(tasks: TaskCounts) -> str:
    return f"{tasks.total:,}" if tasks.ended == tasks.total else f"{tasks.ended:,}/{tasks.total:,}"


def _short(source: str) -> str:
    """On a terminal the end of a long path, which tells one workload from another; elsewhere all of it."""
    line = one_line(source, None)
    if terminal_width() is None or len(line) <= _MOST_SOURCE:
        return line
    return f"…{line[-_MOST_SOURCE + 1 :]}"


def _as_json(listed: _Listed) -> dict[str, Any]:
    tasks = None if listed.tasks is None else asdict(listed.tasks)
    took_s = None if listed.took_s is None else round(listed.took_s, 3)
    return job_as_json(listed.job) | {"state": listed.state, "tasks": tasks, "makespan_s": took_s}


def job_as_json(job: Job) -> dict[str, Any]:
    """A job as JSON shows it."""
    source = job.source
    return {
        "job": job.id,
        "source": {"bucket": source.bucket, "key": source.key, "version": source.version},
        "event_ms": source.event_ms,
        "opened_ms": job.opened_ms,
        "cancelled_ms": job.cancelled_ms,
        "paused_ms": job.paused_ms,
        "paused": job.pause_reason,
        "size_bytes": job.size_bytes,
        "tasks_estimate": job.tasks_estimate,
        "bundle_size": job.bundle_size,
        "ranges": job.ranges,
        "repeats": repeated_job(job),
    }
