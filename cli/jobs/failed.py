from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.jobs.repeats import origins_of
from cli.terminal.options import json_option
from cli.terminal.output import Output
from cli.views.error_table import error_table
from cloudkon.reports.error_groups import ErrorGroup, group_errors
from cloudkon.reports.task_results import task_results

_MOST_PLACES = 3


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
    origins = origins_of(found)
    firsts = {} if origins is None else {line: origins.line(line) for group in groups for line in group.lines}
    output.listing((_as_json(group, firsts) for group in groups), error_table(groups))
    if origins is not None and groups:
        places = ", ".join(f"{line} is {origins.place(line)}" for line in groups[0].lines[:_MOST_PLACES])
        output.say(f"Lines are those of {found.job.id}: {places}.")
    if not groups:
        output.say(f"No task of {found.job.id} has failed or was rejected.")


def _as_json(group: ErrorGroup, firsts: Mapping[int, int | None]) -> dict[str, Any]:
    """The group; of a retry with the lines in the first job."""
    told = asdict(group)
    return told | {"first_lines": [firsts[line] for line in group.lines]} if firsts else told
