import click

from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.jobs.local_runs import is_stopped
from cli.jobs.watching import WAIT_S, watch_all, watch_to_end
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cloudkon.clock import Clock
from cloudkon.errors import NotFoundError
from cloudkon.reports.stats import job_stats

_LOOK_S = 1.0
_RECENT_JOBS = 20


@click.command()
@optional_job
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=WAIT_S,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a job that was submitted but is not opened yet.",
)
@click.option(
    "--then",
    metavar="COMMAND",
    help="Run this command line when the job has ended, however: CLOUDKON_JOB and CLOUDKON_JOB_FAILED tell of it.",
)
@json_option
@reads_ledgers
@uses_clock
def watch(ledgers: Ledgers, job: str | None, wait_s: float, then: str | None, *, clock: Clock, output: Output) -> None:
    """Follow JOB until it ends; by default all jobs that run, or else the latest.

    Exits with 1 unless every task, and the command of --then, succeeded.

    With --json the statistics are printed again and again, a line each time; the last line is final.

    \b
    Examples:
      cloudkon-cli watch
      cloudkon-cli watch tasks-k3vq7xwz5a2m && echo done
      cloudkon-cli watch --then 'notify-send "$CLOUDKON_JOB: $CLOUDKON_JOB_FAILED failed"'
    """
    running = running_jobs(ledgers, clock) if job is None else []
    if len(running) > 1:
        if not watch_all(running, clock, ledgers.options, output=output, then=then):
            raise SystemExit(1)
        return
    if job is None:
        found = running[0] if running else _newest(ledgers, clock, wait_s)
        job, records = found.job.id, found.records
    else:
        records = ledgers.of(job)
    if not watch_to_end(records, job, clock, wait_s, ledgers.options, output=output, then=then):
        raise SystemExit(1)


def running_jobs(ledgers: Ledgers, clock: Clock) -> list[FoundJob]:
    """The latest jobs that somebody runs, the oldest first."""
    now_ms = clock.now_ms()
    found = []
    for each in ledgers.recent(_RECENT_JOBS):
        stats = job_stats(each.records.ledger, each.job, now_ms)
        if not stats.ended and not is_stopped(each, stats):
            found.append(each)
    return found[::-1]


def _newest(ledgers: Ledgers, clock: Clock, wait_s: float) -> FoundJob:
    """The latest job; the first one of a new stage may be on its way, so it is waited for."""
    ends_s = clock.monotonic_s() + (wait_s if ledgers.cloud_is_likely else 0.0)
    while True:
        try:
            return ledgers.find(None)
        except NotFoundError:
            if clock.monotonic_s() >= ends_s:
                raise
        clock.sleep(_LOOK_S)
