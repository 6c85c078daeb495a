"""What `watch` and `submit --watch` have in common."""

from collections.abc import Iterable

import click

from cli.jobs.following import await_job, follow
from cli.jobs.ledgers import Records, unknown_job
from cli.terminal.output import Output
from cli.views.outcome import error_groups, say_outcome, went_well
from cli.views.progress import show_progress
from cloudkon.clock import Clock
from cloudkon.reports.stats import JobStats

WAIT_S = 30.0
"""How long a Lambda may take to open a job: a cold start, and a retry of the event."""


def watch_to_end(
    records: Records, job_id: str, clock: Clock, wait_s: float, options: str = "", *, output: Output
) -> bool:
    """Show a job's progress, once it is opened, until it has ended; return whether every task succeeded.

    Raises NotFoundError if it is not opened within wait_s. At Ctrl-C the program ends, and says that the job does not.
    """
    updates = None
    try:
        updates = _updates(records, job_id, clock, wait_s if records.file is None else 0.0)
        last = show_progress(updates, clock) if output.is_text else _print_each(updates, output)
    except KeyboardInterrupt:
        state = "The job goes on." if updates is not None else "The job has not been opened yet."
        click.echo(f"{state} Watch it again: cloudkon-cli watch {job_id}{options}", err=True)
        raise SystemExit(130) from None
    say_outcome(output, last, error_groups(records.ledger, records.results, last), options, named=True)
    return went_well(last)


def _updates(records: Records, job_id: str, clock: Clock, wait_s: float) -> Iterable[JobStats]:
    ledger = records.ledger
    job = await_job(ledger, job_id, clock, wait_s, _tell)
    if job is None:
        raise unknown_job(ledger, job_id)
    return follow(ledger, job, clock, _tell)


def _tell(said: str) -> None:
    click.echo(said, err=True)


def _print_each(updates: Iterable[JobStats], output: Output) -> JobStats:
    for stats in updates:
        output.value(stats.as_json())
    return stats
