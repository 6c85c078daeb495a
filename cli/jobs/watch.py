import click

from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.jobs.watching import WAIT_S, watch_to_end
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cloudkon.clock import Clock
from cloudkon.errors import NotFoundError

_LOOK_S = 1.0


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
@json_option
@reads_ledgers
@uses_clock
def watch(ledgers: Ledgers, job: str | None, wait_s: float, *, clock: Clock, output: Output) -> None:
    """Follow JOB, by default the latest, until it ends. Exits with 1 unless every task succeeded.

    With --json the statistics are printed again and again, a line each time; the last line is final.

    \b
    Examples:
      cloudkon-cli watch
      cloudkon-cli watch tasks-k3vq7xwz5a2m && echo done
    """
    if job is None:
        found = _newest(ledgers, clock, wait_s)
        job, records = found.job.id, found.records
    else:
        records = ledgers.of(job)
    if not watch_to_end(records, job, clock, wait_s, ledgers.options, output=output):
        raise SystemExit(1)


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
