"""Reads a workload of this machine as the dispatcher will: what its form is, and which tasks it holds."""

from collections.abc import Iterator
from pathlib import Path

from cloudkon.errors import InputError
from cloudkon.ledger.job import Source
from cloudkon.local.store import FolderStore
from cloudkon.workload.lines import BadLine, Block, Line
from cloudkon.workload.templates.form import Form
from dispatcher.ranges import Look, Workload, all_lines, look_at


class LocalWorkload:
    """A file, with the form that options say, if they do."""

    def __init__(self, path: Path, asked: Form | None = None) -> None:
        source = Source("", str(path.resolve()), "", 0, pinned=False)
        self._workload = Workload(FolderStore(Path("/")), source)
        self.size_bytes = self._workload.size_bytes()
        self.look: Look = look_at(self._workload, self.size_bytes, asked)

    def check_form(self, shown: str, what: str = "--each") -> None:
        """Raise InputError if the form can't be used: then no line would be a task."""
        form = self.look.form
        if form is not None and form.error is not None:
            raise InputError(f"{_place(form, shown, what)}: {form.error.rstrip('?')}.")

    def lines(self) -> Iterator[Block | Line | BadLine]:
        """All lines, as the dispatcher reads them: the tasks, where values are made into such."""
        return all_lines(self._workload, self.look)


def _place(form: Form, shown: str, what: str) -> str:
    return f"{shown}, line {form.error_line:,}" if form.error_line else what
