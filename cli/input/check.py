from collections.abc import Sequence
from pathlib import Path

import click

from cli.input.check_view import check_tables
from cli.input.form_options import AskedForm, form_options
from cli.input.header_line import header_line
from cli.input.piped_workload import DASH
from cli.input.readable import readable
from cli.input.reading import LocalWorkload
from cli.input.task_modules import find_modules
from cli.input.uploads import check_key
from cli.input.values_on_the_line import TailCommand
from cli.input.workload_check import WorkloadCheck
from cli.terminal.options import json_option
from cli.terminal.output import Output


@click.command(cls=TailCommand)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--tasks", "modules", multiple=True, metavar="MODULE", help="Check names and arguments by the handlers in it."
)
@form_options
@json_option
def check(file: Path | None, modules: Sequence[str], *, asked: AskedForm, output: Output) -> None:
    """Say what FILE, or stdin (-), would come to: its tasks, what they are called with, its rejects, its bundles.

    Nothing is run or uploaded. Arguments are checked for the tasks that come with CloudKon and, with --tasks, for those
    of your handlers; then a name without a handler is a reject as well. Exits with 1 if a line would be rejected.

    \b
    Examples:
      cloudkon-cli check tasks.txt --tasks handlers.py
      cloudkon-cli check pictures.csv --task resize
      cloudkon-cli check tasks.txt --json | jq .rejected
    """
    if file is not None and file != DASH:
        check_key(file.name)
    with readable(file, asked, "check") as (workload, shown):
        if workload.form is not None:
            header_line(workload.form)  # submit writes it
        found = _checked(workload, find_modules(modules, workload.path))
    output.value(found.as_json(), check_tables(shown, found))
    if found.rejected:
        raise SystemExit(1)


def _checked(workload: LocalWorkload, modules: Sequence[str]) -> WorkloadCheck:
    from ec2_worker.handlers import handlers  # noqa: PLC0415 (msgspec takes longer than a file that can't be read)

    found = WorkloadCheck(workload.job(), handlers(modules, ("shell",)), knows_all=bool(modules))
    found.read(workload.packed())
    return found
