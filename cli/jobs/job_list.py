from typing import Any

import click

from cli.jobs.ledger_options import reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.system.paths import source_text
from cli.terminal.options import json_option
from cli.terminal.output import Output
from cli.terminal.tables import Table
from cli.terminal.units import moment, size
from cloudkon.ledger.job import Job


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, at most.")
@json_option
@reads_ledgers
def jobs(ledgers: Ledgers, limit: int, *, output: Output) -> None:
    """List the latest jobs, the newest first, of this machine and, if AWS is set up, of the stage.

    The number of tasks is the dispatcher's first estimate; stats counts. With --json, a line a job.

    \b
    Examples:
      cloudkon-cli jobs
      cloudkon-cli jobs --limit 1 --json | jq -r .job
    """
    latest = [found.job for found in ledgers.recent(limit)]
    rows = [
        (job.id, moment(job.opened_ms), f"{job.tasks_estimate:,}", size(job.size_bytes), source_text(job))
        for job in latest
    ]
    table = Table(("job", "opened", "tasks", "size", "source"), ("left", "left", "right", "right", "left"), rows)
    output.listing((job_as_json(job) for job in latest), table)
    if not rows:
        output.say("There is no job yet. Run a workload here: cloudkon-cli run LOCAL -s FILE")


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
    }
