"""What is seen of a workload before anything of it is run: whether its form can be used, and which tasks it holds."""

import sys
from pathlib import Path

import click

from cli.input.form_options import format_by_name
from cli.input.reading import LocalWorkload
from cli.input.uploads import warn_of_backslashes
from cloudkon.printable import one_line
from cloudkon.workload.packing import Reject, pack_bundles
from cloudkon.workload.planning import MAX_BUNDLE_TASKS
from cloudkon.workload.templates.form import Form
from cloudkon.workload.templates.rows import Format


def check_tasks(file: Path, form: Form | None, shown: str, what: str = "--each", *, print_them: bool) -> None:
    """Raise InputError if no line of the file could be a task; print the tasks, if that was asked for."""
    workload = LocalWorkload(file, form)
    workload.check_form(shown, what)
    if print_them:
        _print_tasks(workload, shown)
    elif workload.look.form is None:
        warn_of_backslashes(file)
        _warn_of_a_table(file, shown)


def _warn_of_a_table(file: Path, shown: str) -> None:
    if format_by_name(file) in (Format.CSV, Format.TSV):
        click.echo(
            f"{shown} is named like a table, and each line is run as a task. To make a task of each row, say "
            "--task NAME or --each TEMPLATE.",
            err=True,
        )


def _print_tasks(workload: LocalWorkload, shown: str) -> None:
    """The tasks to stdout, rejected lines to stderr; exits with 1 if there is one of these."""
    rejected = 0
    for item in pack_bundles(workload.lines(), MAX_BUNDLE_TASKS, has_header=True):
        if isinstance(item, Reject):
            rejected += 1
            click.echo(f"{shown}, line {item.line:,}: {item.reason}: {one_line(item.text, 80)}", err=True)
        else:
            sys.stdout.write("".join(f"{task}\n" for task in item.tasks))
    sys.stdout.flush()
    if rejected:
        raise SystemExit(1)
