import sys

import click

from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.repair.selection import Copied, Selection, copy_lines, selected_lines
from cli.terminal.options import json_option
from cli.terminal.output import Output
from cloudkon.workload.lines import BadLine
from cloudkon.workload.planning import is_header


@click.command("export-failed")
@optional_job
@click.option("--rejected", is_flag=True, help="Print rejected lines as well, for you to correct.")
@click.option("--reason", metavar="TEXT", help="Only tasks whose error holds this text.")
@json_option
@reads_ledgers
def export_failed(ledgers: Ledgers, job: str | None, reason: str | None, *, rejected: bool, output: Output) -> None:
    """Print the failed tasks of JOB, by default the latest, as a workload: the same lines as in the first one.

    The lines are read again from the job's own workload, if that has not changed. With --json each task is an object
    with its number and its line.

    \b
    Examples:
      cloudkon-cli export-failed > again.txt
      cloudkon-cli export-failed tasks-k3vq7xwz5a2m --rejected > to-correct.txt
    """
    found = ledgers.find(job)
    selection = Selection(unhandled=rejected, unreadable=rejected, reason=reason)
    copied = (
        copy_lines(found, selection, sys.stdout.buffer) if output.is_text else _write_objects(found, selection, output)
    )
    if copied.left_out:
        click.echo(f"{copied.left_out:,} lines were left out: no task can be made of them.", err=True)
    if not copied.tasks:
        click.echo(f"No task of {found.job.id} has failed in this way; nothing was printed.", err=True)


def _write_objects(found: FoundJob, selection: Selection, output: Output) -> Copied:
    copied = Copied()
    for line in selected_lines(found, selection):
        if isinstance(line, BadLine):
            copied.left_out += 1
            continue
        copied.add(line)
        if not is_header(line.text):
            output.value({"task": line.number, "line": line.text})
    return copied
