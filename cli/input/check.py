from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cli.input.check_view import check_tables
from cli.input.form_options import AskedForm, form_options
from cli.input.header_line import header_line
from cli.input.piped_workload import DASH, in_a_file
from cli.input.reading import LocalWorkload
from cli.input.task_modules import find_modules
from cli.input.uploads import check_key, check_workload
from cli.input.values_on_the_line import TailCommand
from cli.input.workload_check import WorkloadCheck
from cli.terminal.options import json_option
from cli.terminal.output import Output
from cloudkon.errors import InputError


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
    given = asked.workload(file)
    if given is None and not asked.tail.sources:
        raise InputError("Which workload? Name its file, or - for standard input: cloudkon-cli check FILE")
    shown = "the values" if given is None else str(given)
    form = asked.form(given)
    if form is not None:
        header_line(form)  # submit writes it
    with _readable(given, asked) as path:
        workload = LocalWorkload(path, form)
        workload.check_form(shown, asked.what)
        found = _checked(workload, find_modules(modules, path))
    output.value(found.as_json(), check_tables(shown, found))
    if found.rejected:
        raise SystemExit(1)


def _checked(workload: LocalWorkload, modules: Sequence[str]) -> WorkloadCheck:
    from ec2_worker.handlers import handlers  # noqa: PLC0415 (msgspec takes longer than a file that can't be read)

    found = WorkloadCheck(workload.job(), handlers(modules, ("shell",)), knows_all=bool(modules))
    found.read(workload.packed())
    return found


@contextmanager
def _readable(given: Path | None, asked: AskedForm) -> Iterator[Path]:
    """The workload as a file for as long as it is looked at."""
    if given is not None and given != DASH:
        check_key(given.name)
        check_workload(given, str(given), is_piped_ok=True)
    with TemporaryDirectory(prefix="cloudkon-") as folder:
        if given is None:
            yield asked.kept_rows(Path(folder))
        else:
            yield in_a_file(given, Path(folder))
