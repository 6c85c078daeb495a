from collections.abc import Sequence
from dataclasses import asdict

import click

from cli.jobs.ledger_options import reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.terminal.options import json_option
from cli.terminal.output import Output
from cli.terminal.tables import Table
from cloudkon.printable import one_line
from cloudkon.reports.error_groups import ErrorGroup, group_errors
from cloudkon.reports.task_results import task_results


@click.command()
@click.argument("job", required=False)
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
    output.listing((asdict(group) for group in groups), _table(groups))
    if not groups:
        output.say(f"No task of {found.job.id} has failed or was rejected.")


def _table(groups: Sequence[ErrorGroup]) -> Table:
    rows = [(f"{group.count:,}", group.state, one_line(group.reason), _lines(group)) for group in groups]
    return Table(("tasks", "state", "reason", "lines"), ("right", "left", "left", "left"), rows)


def _lines(group: ErrorGroup) -> str:
    more = ["..."] if group.count > len(group.lines) else []
    return ", ".join([*map(str, group.lines), *more])
