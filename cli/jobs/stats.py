import click

from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cli.views.stats_view import stats_tables
from cloudkon.clock import Clock
from cloudkon.reports.stats import job_stats


@click.command()
@optional_job
@json_option
@reads_ledgers
@uses_clock
def stats(ledgers: Ledgers, job: str | None, *, clock: Clock, output: Output) -> None:
    """Show the statistics of JOB, by default the latest: its tasks, times, workers and API calls.

    \b
    Examples:
      cloudkon-cli stats
      cloudkon-cli stats tasks-k3vq7xwz5a2m --json | jq .tasks
      cloudkon-cli stats --ledger night.sqlite3
    """
    found = ledgers.find(job)
    ledger = found.records.ledger
    answer = job_stats(ledger, found.job, clock.now_ms())
    output.value(answer.as_json(), stats_tables(answer))
