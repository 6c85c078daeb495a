"""Turns a range's lines into bundles and rejects; everything about them follows from the lines alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cloudkon.ledger.bundle import LineNumbers
from cloudkon.workload.lines import BadLine, Block, Line
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
    lines: Iterable[Block | Line | BadLine], bundle_size: int, *, has_header: bool
) -> Iterator[PackedBundle | Reject]:
    """Pack the tasks of a range, bundle_size in a bundle; has_header says whether the workload begins here."""
    box = _Box(bundle_size)
    for line in lines:
        if isinstance(line, Block):
            has_header = False
            yield from box.add_block(line)
            continue
        if isinstance(line, BadLine):
            yield Reject(line.number, line.reason, line.excerpt)
            continue
        if not is_task_line(line.text):
            if has_header and is_header(line.text):
                yield from _header_rejects(line)
            continue
        has_header = False
        try:
            parse_task(line.text)
        except LineError as error:
            yield Reject(line.number, str(error), line.text[:_EXCERPT_CHARACTERS])
            continue
        yield from box.add(line.number, line.text)
    yield from box.rest()


class _Box:
    """The bundle that is being filled; it is full when the next task does not fit."""

    def __init__(self, most_tasks: int) -> None:
        self._most_tasks = most_tasks
        self._runs: list[tuple[int, int]] = []
        self._tasks: list[str] = []
        self._size_bytes = 0

    def add(self, number: int, text: str) -> Iterator[PackedBundle]:
        """Add a task; yield the bundle that it did not fit into."""
        size_bytes = len(text) if text.isascii() else len(text.encode())
        if len(self._tasks) == self._most_tasks or self._size_bytes + size_bytes > MAX_BUNDLE_BYTES:
            yield from self.rest()
        self._put(number, [text], size_bytes)

    def add_block(self, block: Block) -> Iterator[PackedBundle]:
        """Add the tasks of a block, as many at a time as fit; yield the bundles that are full meanwhile."""
        at, texts = 0, block.texts
        while at < len(texts):
            fitting = texts[at : at + self._most_tasks - len(self._tasks)]
            size_bytes = sum(map(len, fitting))
            if not fitting:
                yield from self.rest()
            elif self._size_bytes + size_bytes <= MAX_BUNDLE_BYTES:
                self._put(block.first_number + at, fitting, size_bytes)
                at += len(fitting)
            else:
                yield from self.add(block.first_number + at, texts[at])
                at += 1

    def rest(self) -> Iterator[PackedBundle]:
        """Yield what is in the box, if there is anything, and empty it."""
        if self._tasks:
            yield PackedBundle(LineNumbers(tuple(self._runs)), tuple(self._tasks))
        self._runs, self._tasks, self._size_bytes = [], [], 0

    def _put(self, number: int, texts: Sequence[str], size_bytes: int) -> None:
        first, count = self._runs[-1] if self._runs else (0, 0)
        if count and first + count == number:
            self._runs[-1] = first, count + len(texts)
        else:
            self._runs.append((number, len(texts)))
        self._tasks += texts
        self._size_bytes += size_bytes


def _header_rejects(line: Line) -> Iterator[Reject]:
    for error in read_options(line)[1]:
        yield Reject(error.line, error.reason, error.text)
