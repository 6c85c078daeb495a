"""Reads a range of a workload: the lines that begin in it, whatever chunks they arrive in."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from cloudkon.errors import InputError
from cloudkon.ledger.job import RANGE_BYTES, Job, Source
from cloudkon.ports import ObjectStore
from cloudkon.workload.formats import HEAD_BYTES, known_misfit
from cloudkon.workload.lines import GZIP_MAGIC, BadLine, Block, Line, gunzip, one_by_one, read_blocks, read_lines
from cloudkon.workload.planning import Sample, sample
from cloudkon.workload.templates.expanding import expanded, is_in_one_piece
from cloudkon.workload.templates.form import Form
from cloudkon.workload.templates.header import find_form

log = logging.getLogger(__name__)

_SAMPLE_BYTES = 64 * 1024
_Item = TypeVar("_Item")


class Workload:
    """One version of one workload, as bytes."""

    def __init__(self, store: ObjectStore, source: Source) -> None:
        self._store = store
        self._source = source

    def size_bytes(self) -> int:
        return self._store.size_bytes(self._source.key, self._version)

    def read(self, start: int = 0) -> Iterator[bytes]:
        return self._store.read(self._source.key, self._version, start)

    @property
    def _version(self) -> str | None:
        return self._source.version if self._source.pinned else None


@dataclass(frozen=True, slots=True)
class Look:
    """What the beginning of a workload tells."""

    sample: Sample
    plain_bytes: int
    """The (estimated) size in plain text."""
    gzipped: bool = False
    is_one_piece: bool = False
    """Whether it can't be cut into ranges: it is compressed, or numbered, or no workload at all."""
    form: Form | None = None
    """How tasks are made of its lines, if these are values."""


def look_at(workload: Workload, size_bytes: int, asked: Form | None = None) -> Look:
    """Read the first lines; asked is the form that they have, unless their header says it."""
    if not size_bytes:
        return Look(sample([], whole=True), 0)
    consumed = 0

    def counted() -> Iterator[bytes]:
        nonlocal consumed
        for chunk in workload.read():
            consumed += len(chunk)
            yield chunk

    chunks = counted()
    first = next(chunks, b"")
    gzipped = first.startswith(GZIP_MAGIC)
    plain, whole = _head(_chain(first, chunks), gzipped=gzipped)
    lines = list(read_lines([plain]))
    if not whole and len(lines) > 1:
        lines.pop()  # cut off in its middle
    plain_bytes = len(plain) if whole else round(size_bytes * (len(plain) / consumed if gzipped else 1))
    misfits = known_misfit(plain) is not None
    form = None if misfits else find_form(lines, asked)
    is_one_piece = gzipped or misfits or is_in_one_piece(form)
    return Look(_sample([] if misfits else lines, form, whole=whole), plain_bytes, gzipped, is_one_piece, form)


def _sample(lines: list[Line | BadLine], form: Form | None, *, whole: bool) -> Sample:
    if form is None:
        return sample(lines, whole=whole)
    tasks = list(expanded(lines, form, is_first=True))
    seen = sample(tasks, whole=whole)
    return replace(seen, text_bytes=sum(len(line.text.encode()) for line in tasks if isinstance(line, Line)))


def _chain(first: _Item, rest: Iterator[_Item]) -> Iterator[_Item]:
    yield first
    yield from rest


def _head(chunks: Iterator[bytes], *, gzipped: bool) -> tuple[bytes, bool]:
    head = bytearray()
    try:
        for chunk in gunzip(chunks) if gzipped else chunks:
            head += chunk
            if len(head) >= _SAMPLE_BYTES:
                return bytes(head), False
    except InputError:
        pass  # the lines before the break count, and the dispatch of the range reports it
    return bytes(head), True


def range_lines(workload: Workload, job: Job, number: int) -> Iterator[Line | BadLine]:
    """The lines of one range, numbered from 1; broken gzip data ends in a BadLine that says so.

    In a workload of values, each line is the task that is made of it.
    """
    return one_by_one(range_blocks(workload, job, number))


def range_blocks(workload: Workload, job: Job, number: int) -> Iterator[Block | Line | BadLine]:
    """The lines of one range as range_lines has them, many at once where they are plain."""
    lines = _as_written(workload, job, number)
    return lines if job.form is None else expanded(lines, Form.parse(job.form), is_first=number == 0)


def _as_written(workload: Workload, job: Job, number: int) -> Iterator[Block | Line | BadLine]:
    """The lines of one range as they stand in the workload.

    ...| range n - 1          | range n             |...
       ^ begins here: n - 1's  ^ begins here: n's, to its break
    """
    if number == 0:
        is_in_one_piece = job.gzipped or (job.ranges == 1 and job.form is not None)
        stop = math.inf if is_in_one_piece else RANGE_BYTES
        yield from _begun_before(stop, 0, _from_the_beginning(workload, gzipped=job.gzipped))
        return
    start, stop = number * RANGE_BYTES, (number + 1) * RANGE_BYTES
    # From the byte before on: what ends there or runs on into the range was begun in an earlier one.
    items = read_blocks(workload.read(start - 1), start - 1, first_number=0)
    first = next(items, None)
    if isinstance(first, Block):
        earlier, *others = first.lines()
        if others:
            items = _chain(Block(1, first.texts[1:], first.end), items)
        yield from _begun_before(stop, earlier.end, items)
    elif first is not None:
        yield from _begun_before(stop, first.end, items)


def all_lines(workload: Workload, look: Look) -> Iterator[Block | Line | BadLine]:
    """All lines of a workload, as the ranges together have them."""
    lines = _from_the_beginning(workload, gzipped=look.gzipped)
    return lines if look.form is None else expanded(lines, look.form, is_first=True)


def _from_the_beginning(workload: Workload, *, gzipped: bool) -> Iterator[Block | Line | BadLine]:
    if gzipped:
        return _until_broken(read_blocks(_fitting(gunzip(workload.read(), _say_what_is_ignored))), InputError)
    return _until_broken(read_blocks(_fitting(workload.read())), _MisfitError)


class _MisfitError(InputError):
    """This is no workload; the message says what it is."""


def _fitting(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes as they come, unless their beginning shows that they are no workload."""
    head, broken = b"", None
    try:
        while len(head) < HEAD_BYTES and (chunk := next(chunks, None)) is not None:
            head += chunk
    except InputError as error:
        broken = error  # what came before counts
    if told := known_misfit(head):
        raise _MisfitError(f"The workload {told}")
    yield head
    if broken is not None:
        raise broken
    yield from chunks


def _say_what_is_ignored() -> None:
    log.warning("The gzipped workload has more behind its end that is no gzip data: it is ignored, as by gunzip.")


def _begun_before(
    stop: float, begins: int, items: Iterator[Block | Line | BadLine]
) -> Iterator[Block | Line | BadLine]:
    while begins < stop and (item := next(items, None)) is not None:
        if isinstance(item, Block) and item.end > stop:
            for line in item.lines():
                if begins >= stop:
                    return
                yield line
                begins = line.end
            continue
        yield item
        begins = item.end


def _until_broken(
    items: Iterator[Block | Line | BadLine], breaks: type[InputError]
) -> Iterator[Block | Line | BadLine]:
    number = 0
    try:
        for item in items:
            number = item.last_number if isinstance(item, Block) else item.number
            yield item
    except breaks as error:
        yield BadLine(number + 1, str(error), "", 0)


@dataclass(slots=True)
class LineCount:
    """Counts the lines that pass."""

    count: int = 0

    def seen(self, item: Block | Line | BadLine) -> Block | Line | BadLine:
        self.count = item.last_number if isinstance(item, Block) else item.number
        return item
