from dataclasses import asdict

import click

from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.terminal.options import json_option
from cli.terminal.output import Output
from cli.views.error_table import error_table
from cloudkon.reports.error_groups import group_errors
from cloudkon.reports.task_results import task_results


@click.command()
@optional_job
@json_option
@reads_ledgers
def failed(ledgers: Ledgers, job: str | None, *, output: Output) -> None:
    """Show why tasks of JOB, by default the latest, failed or were rejected, the most frequent reason first.

    Errors that differ only in numbers (<n>) and ids (<id>) are counted as one reason.

    \b
    Examples:
      cloudkon-cli failed
      cloudkon-cli failed tasks-k3vq7xwz5a2m --json | jq -r .reason
      cloudkon-cli retry tasks-k3vq7xwz5a2m --reason "connection reset"
    """
    found = ledgers.find(job)
    ledger = found.records.ledger
    groups = group_errors(task_results(ledger, found.records.results, found.job))
    output.listing((asdict(group) for group in groups), error_table(groups))
    if not groups:
        output.say(f"No task of {found.job.id} has failed or was rejected.")
