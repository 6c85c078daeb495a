"""Reads a range of a workload: the lines that begin in it, whatever chunks they arrive in."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from cloudkon.errors import InputError
from cloudkon.ledger.job import RANGE_BYTES, Job, Source
from cloudkon.ports import ObjectStore
from cloudkon.workload.formats import HEAD_BYTES, known_misfit
from cloudkon.workload.lines import GZIP_MAGIC, BadLine, Block, Line, gunzip, one_by_one, read_blocks, read_lines
from cloudkon.workload.planning import Sample, sample

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
    """Whether it can't be cut into ranges: it is compressed, or no workload at all."""


def look_at(workload: Workload, size_bytes: int) -> Look:
    """Read the first lines."""
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
    return Look(sample([] if misfits else lines, whole=whole), plain_bytes, gzipped, gzipped or misfits)


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
    """The lines of one range, numbered from 1; broken gzip data ends in a BadLine that says so."""
    return one_by_one(range_blocks(workload, job, number))


def range_blocks(workload: Workload, job: Job, number: int) -> Iterator[Block | Line | BadLine]:
    """The lines of one range as range_lines has them, many at once where they are plain.

    ...| range n - 1          | range n             |...
       ^ begins here: n - 1's  ^ begins here: n's, to its break
    """
    if number == 0:
        yield from _first_range(workload, gzipped=job.gzipped)
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


def _first_range(workload: Workload, *, gzipped: bool) -> Iterator[Block | Line | BadLine]:
    if gzipped:
        items = read_blocks(_fitting(gunzip(workload.read(), _say_what_is_ignored)))
        yield from _until_broken(items, InputError)
    else:
        items = read_blocks(_fitting(workload.read()))
        yield from _begun_before(RANGE_BYTES, 0, _until_broken(items, _MisfitError))


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


def _begun_before(stop: int, begins: int, items: Iterator[Block | Line | BadLine]) -> Iterator[Block | Line | BadLine]:
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
