from collections.abc import Iterator
from typing import Any

import click

from cli.jobs.ledger_options import reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.terminal.options import json_option
from cli.terminal.output import Output
from cloudkon.errors import NotFoundError
from cloudkon.reports.task_logs import read_log
from cloudkon.workload.line_numbers import LineOffsets


@click.command()
@click.argument("job", required=False)
@click.argument("task", required=False, metavar="[TASK]")
@json_option
@reads_ledgers
def logs(ledgers: Ledgers, job: str | None, task: str | None, *, output: Output) -> None:
    """Print what the tasks of JOB, by default the latest, printed and logged, and the tracebacks of their errors.

    Logs of tasks that failed are kept; those of all tasks with --keep-logs, which runs and workers have. TASK is the
    number of a line, or an id; - as JOB is the latest.

    \b
    Examples:
      cloudkon-cli logs
      cloudkon-cli logs - 17
      cloudkon-cli logs tasks-k3vq7xwz5a2m --json | jq -r .log
    """
    found = ledgers.find(None if job == "-" else job)
    count = 0
    for told in _logs(found, task):
        count += 1
        output.value(told, [f"task {told['task']:,}: {told['state']}", *told["log"].rstrip("\n").split("\n"), ""])
    if not count and task is not None:
        raise NotFoundError(
            f"{found.job.id} has no log of task {task}. Logs are kept of tasks that failed, and of all tasks that run "
            "with --keep-logs."
        )
    if not count:
        output.say(f"{found.job.id} has no logs: none of its tasks has failed and said something.")


def _logs(found: FoundJob, task: str | None) -> Iterator[dict[str, Any]]:
    """One by one, in the order of the workload."""
    ledger = found.records.ledger
    offsets = LineOffsets(ledger.dispatched(found.job.id))
    for row in ledger.bundles(found.job):
        before = offsets.before(row.key.range) or 0
        for line, result in zip(row.lines, row.results, strict=True):
            if result is None or (task is not None and task not in (str(line + before), result.id)):
                continue
            text = read_log(found.records.results, result)
            if text is not None:
                yield {"task": line + before, "state": result.state.word, "attempt": result.attempt, "log": text}
