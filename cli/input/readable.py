"""Opens what a person wants to know something about: a file, a pipe, or values on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.input.form_options import AskedForm
from cli.input.piped_workload import DASH, in_a_file
from cli.input.reading import LocalWorkload
from cli.input.uploads import check_workload
from cloudkon.errors import InputError


@contextmanager
def readable(file: Path | None, asked: AskedForm, command: str) -> Iterator[tuple[LocalWorkload, str]]:
    """The workload for as long as it is looked at, and what the person called it.

    Raises InputError for what is no workload, and for a form that can't be used.
    """
    given = asked.workload(file)
    if given is None and not asked.tail.sources:
        raise InputError(f"Which workload? Name its file, or - for standard input: cloudkon-cli {command} FILE")
    shown = "the values" if given is None else str(given)
    form = asked.form(given)
    if given is not None and given != DASH:
        check_workload(given, shown, is_piped_ok=True)
    with TemporaryDirectory(prefix="cloudkon-") as folder:
        path = asked.kept_rows(Path(folder)) if given is None else in_a_file(given, Path(folder))
        workload = LocalWorkload(path, form)
        workload.check_form(shown, asked.what)
        yield workload, shown
