"""Turns a range's lines into bundles and rejects; everything about them follows from the lines alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloudkon.ledger.bundle import LineNumbers
from cloudkon.workload.lines import BadLine, Line
from cloudkon.workload.planning import is_header, read_options
from cloudkon.workload.task_line import MAX_LINE_BYTES, LineError, is_task_line, parse_task

MAX_BUNDLE_BYTES = MAX_LINE_BYTES
"""The most that all lines of a bundle have together: as much as one line may have."""
_EXCERPT_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class PackedBundle:
    """The tasks of one bundle, with the line number of each."""

    lines: LineNumbers
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that is no task, and why."""

    line: int
    reason: str
    text: str


def pack_bundles(
    lines: Iterable[Line | BadLine], bundle_size: int, *, has_header: bool
) -> Iterator[PackedBundle | Reject]:
    """Pack the tasks of a range, bundle_size in a bundle; has_header says whether the workload begins here."""
    numbers: list[int] = []
    tasks: list[str] = []
    size_bytes = 0
    for line in lines:
        if isinstance(line, BadLine):
            yield Reject(line.number, line.reason, line.excerpt)
            continue
        if not is_task_line(line.text):
            if has_header and not numbers and is_header(line.text):
                yield from _header_rejects(line)
            continue
        has_header = False
        try:
            parse_task(line.text)
        except LineError as error:
            yield Reject(line.number, str(error), line.text[:_EXCERPT_CHARACTERS])
            continue
        line_bytes = len(line.text) if line.text.isascii() else len(line.text.encode())
        if tasks and (len(tasks) == bundle_size or size_bytes + line_bytes > MAX_BUNDLE_BYTES):
            yield PackedBundle(LineNumbers.of(numbers), tuple(tasks))
            numbers, tasks, size_bytes = [], [], 0
        numbers.append(line.number)
        tasks.append(line.text)
        size_bytes += line_bytes
    if tasks:
        yield PackedBundle(LineNumbers.of(numbers), tuple(tasks))


def _header_rejects(line: Line) -> Iterator[Reject]:
    for error in read_options(line)[1]:
        yield Reject(error.line, error.reason, error.text)
