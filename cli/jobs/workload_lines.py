"""Reads lines of a job's workload again, where it was read from, if it still is what it was."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cli.jobs.ledgers import FoundJob
from cloudkon.client.lines_again import lines_again
from cloudkon.client.local.unchanged_file import fingerprint
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.ledger.job import LOCAL_BUCKET, Job
from cloudkon.local.store import FolderStore
from cloudkon.ports import ObjectStore
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.lines import BadLine, Line
from cloudkon.workload.planning import is_header, read_options
from cloudkon.workload.task_line import is_task_line
from dispatcher.ranges import Workload, range_blocks, range_lines


class WorkloadLines:
    """The lines of one job's workload; raises CloudKonError if they are gone or are others now."""

    def __init__(self, found: FoundJob) -> None:
        self._job = found.job
        store = _store(found)
        try:
            _check_unchanged(store, found.job)
        except NotFoundError as error:
            raise NotFoundError(f"The workload of {found.job.id} can't be read again: {error}") from error
        self._workload = Workload(store, found.job.source)

    def lines(self, numbering: LineOffsets, numbers: Iterable[int]) -> Iterator[Line | BadLine]:
        """The lines of these ascending numbers, numbered so; ranges without one of them are not read."""
        return lines_again(self._workload, self._job, numbering, numbers)

    def comments(self) -> Iterator[str]:
        """The lines that begin with a hash."""
        for range_ in range(self._job.ranges):
            for line in range_blocks(self._workload, self._job, range_):
                if isinstance(line, Line) and line.text.startswith("#"):
                    yield line.text

    def headers(self) -> Iterator[Line]:
        """The option lines at the top that can be used."""
        for line in range_lines(self._workload, self._job, 0):
            if isinstance(line, BadLine):
                continue
            if is_task_line(line.text):
                return
            if is_header(line.text) and not read_options(line)[1]:
                yield line


def _store(found: FoundJob) -> ObjectStore:
    cloud = found.records.cloud
    source = found.job.source
    if cloud is None or source.is_file:
        return FolderStore(Path("/"))
    return cloud.bucket(source.bucket)


def _check_unchanged(store: ObjectStore, job: Job) -> None:
    source = job.source
    same = store.size_bytes(source.key, source.version if source.pinned else None) == job.size_bytes
    if same and isinstance(store, FolderStore):
        path = Path(source.key)
        if source.bucket == LOCAL_BUCKET:
            same = fingerprint(path) == source.version.partition("-")[0]
        else:
            same = path.stat().st_mtime_ns <= source.event_ms * 1_000_000
    if not same:
        raise CloudKonError(
            f"{source.key} has changed since {job.id} began: its lines are not those of that job. "
            "Put the earlier content back to go on."
        )
