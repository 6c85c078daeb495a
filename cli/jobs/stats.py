from collections.abc import Sequence

import click

from cli.jobs.ledger_options import complete_job, reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.terminal.options import json_and_csv_options, uses_clock
from cli.terminal.output import Format, Output
from cli.views.stats_compared import CSV_COLUMNS, compared_table, stats_row
from cli.views.stats_view import stats_tables
from cloudkon.clock import Clock
from cloudkon.reports.stats import job_stats


@click.command()
@click.argument("jobs", nargs=-1, metavar="[JOB]...", shell_complete=complete_job)
@json_and_csv_options
@reads_ledgers
@uses_clock
def stats(ledgers: Ledgers, jobs: Sequence[str], *, clock: Clock, output: Output) -> None:
    """Show the statistics of JOB, by default the latest: its tasks, times, workers and API calls.

    Several jobs are shown beside each other. With --csv each job is a row.

    \b
    Examples:
      cloudkon-cli stats
      cloudkon-cli stats night-k3vq7xwz5a2m night-2cg6q2hkukrj
      cloudkon-cli stats tasks-k3vq7xwz5a2m --json | jq .tasks
      cloudkon-cli stats --ledger night.sqlite3
    """
    found = [ledgers.find(job) for job in jobs or (None,)]
    answers = [job_stats(each.records.ledger, each.job, clock.now_ms()) for each in found]
    if output.format is Format.CSV:
        output.lines(map(stats_row, answers), str, CSV_COLUMNS)
    elif len(answers) == 1:
        output.value(answers[0].as_json(), stats_tables(answers[0]))
    else:
        output.listing((each.as_json() for each in answers), compared_table(answers))
