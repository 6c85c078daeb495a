"""Reads a workload of this machine as the dispatcher will: what its form is, and which tasks it holds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cloudkon.errors import InputError
from cloudkon.ledger.bundle import LineNumbers
from cloudkon.ledger.job import Job, Source
from cloudkon.local.store import FolderStore
from cloudkon.workload.lines import BadLine, Block, Line
from cloudkon.workload.packing import PackedBundle, Reject, pack_bundles
from cloudkon.workload.templates.form import Form
from dispatcher.planned import planned_job
from dispatcher.ranges import LineCount, Look, Workload, all_lines, look_at, range_blocks


class LocalWorkload:
    """A file, with the form that options say, if they do."""

    def __init__(self, path: Path, asked: Form | None = None) -> None:
        self.path, self.form = path, asked
        self._source = Source("", str(path.resolve()), "", 0, pinned=False)
        self._workload = Workload(FolderStore(Path("/")), self._source)
        self.size_bytes = self._workload.size_bytes()
        self.look: Look = look_at(self._workload, self.size_bytes, asked)

    def check_form(self, shown: str, what: str = "--each") -> None:
        """Raise InputError if the form can't be used: then no line would be a task."""
        form = self.look.form
        if form is not None and form.error is not None:
            raise InputError(f"{_place(form, shown, what)}: {form.error.rstrip('?')}.")

    def job(self) -> Job:
        """The job as the dispatcher of a stage would plan it."""
        return planned_job(self._source, self.size_bytes, self.look)

    def packed(self) -> Iterator[PackedBundle | Reject]:
        """The bundles and the rejects of such a job, in order, with the numbers of their lines in the workload."""
        job, before = self.job(), 0
        for number in range(job.ranges):
            count = LineCount()
            blocks = range_blocks(self._workload, job, number)
            for item in pack_bundles(map(count.seen, blocks), job.bundle_size, has_header=number == 0):
                yield _moved(item, before)
            before += count.count

    def lines(self) -> Iterator[Block | Line | BadLine]:
        """All lines, as the dispatcher reads them: the tasks, where values are made into such."""
        return all_lines(self._workload, self.look)


def _moved(item: PackedBundle | Reject, lines: int) -> PackedBundle | Reject:
    if isinstance(item, Reject):
        return replace(item, line=item.line + lines)
    return replace(item, lines=LineNumbers(tuple((first + lines, count) for first, count in item.lines.runs)))


def _place(form: Form, shown: str, what: str) -> str:
    return f"{shown}, line {form.error_line:,}" if form.error_line else what
