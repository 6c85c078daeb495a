import json

import click

from cli.jobs.ledger_options import reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.jobs.stats_view import stats_tables
from cli.terminal.options import json_option
from cli.terminal.tables import print_tables
from cloudkon.clock import SystemClock
from cloudkon.reports.stats import job_stats


@click.command()
@click.argument("job", required=False)
@json_option
@reads_ledgers
def stats(ledgers: Ledgers, job: str | None, *, as_json: bool) -> None:
    """Show what became of JOB, by default the latest: its tasks, times, workers and API calls.

    \b
    Examples:
      cloudkon-cli stats
      cloudkon-cli stats tasks-k3vq7xwz5a2m --json | jq .tasks
      cloudkon-cli stats --ledger night.sqlite3
    """
    found = ledgers.find(job)
    ledger = found.records.ledger
    answer = job_stats(ledger, found.job, SystemClock().now_ms())
    if as_json:
        click.echo(json.dumps(answer.as_json()))
        return
    print_tables(stats_tables(answer))
