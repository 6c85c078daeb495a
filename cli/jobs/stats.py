from collections.abc import Sequence

import click

from cli.jobs.ledger_options import complete_job, reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.jobs.local_runs import is_stopped, read_until_stopped
from cli.terminal.options import json_and_csv_options, prices_option, uses_clock
from cli.terminal.output import Format, Output
from cli.terminal.tables import Table
from cli.views.cost_view import cost_tables
from cli.views.stats_compared import CSV_COLUMNS, compared_table, stats_row
from cli.views.stats_view import stats_tables
from cloudkon.clock import Clock
from cloudkon.costs.job_cost import job_cost
from cloudkon.costs.prices import Prices
from cloudkon.reports.activity.activity import Activity
from cloudkon.reports.stats import JobReading
from cloudkon.workload.line_numbers import LineOffsets


@click.command()
@click.argument("jobs", nargs=-1, metavar="[JOB]...", shell_complete=complete_job)
@prices_option
@json_and_csv_options
@reads_ledgers
@uses_clock
def stats(ledgers: Ledgers, jobs: Sequence[str], *, prices: Prices, clock: Clock, output: Output) -> None:
    """Show the statistics of JOB, by default the latest: its tasks, times, workers, API calls and cost.

    Several jobs are shown beside each other. With --csv each job is a row.

    \b
    Examples:
      cloudkon-cli stats
      cloudkon-cli stats night-k3vq7xwz5a2m night-2cg6q2hkukrj
      cloudkon-cli stats tasks-k3vq7xwz5a2m --json | jq .tasks
      cloudkon-cli stats --ledger night.sqlite3
    """
    now_ms = clock.now_ms()
    found = [ledgers.find(job) for job in jobs or (None,)]
    activities = [Activity(each.job) for each in found]
    readings = [
        read_until_stopped(each, now_ms, *([activity.add] if output.is_text else ()))
        for each, activity in zip(found, activities, strict=True)
    ]
    answers = [reading.stats for reading in readings]
    costs = [job_cost(reading, prices) for reading in readings]
    told = [stats.as_json() | {"cost": cost.as_json()} for stats, cost in zip(answers, costs, strict=True)]
    if output.format is Format.CSV:
        output.lines(map(stats_row, answers, costs), str, CSV_COLUMNS)
    elif len(answers) == 1:
        output.value(told[0], [*_tables(readings[0], activities[0]), *cost_tables(costs[0])])
    else:
        output.listing(told, compared_table(answers, costs))
    for each, stats in zip(found, answers, strict=True):
        if is_stopped(each, stats):
            output.say(f"{each.job.id} has stopped. See how to go on: cloudkon-cli status {each.job.id}")


def _tables(reading: JobReading, activity: Activity) -> list[Table]:
    offsets = LineOffsets(reading.ranges)
    return stats_tables(reading.stats, activity, lambda place: offsets.number(place.range, place.line))
