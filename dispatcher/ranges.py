"""Reads a range of a workload: the lines that begin in it, whatever chunks they arrive in."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from cloudkon.errors import InputError
from cloudkon.ledger.job import RANGE_BYTES, Job, Source
from cloudkon.ports import ObjectStore
from cloudkon.workload.formats import HEAD_BYTES, known_misfit
from cloudkon.workload.lines import GZIP_MAGIC, BadLine, Line, gunzip, read_lines
from cloudkon.workload.planning import Sample, sample

log = logging.getLogger(__name__)

_SAMPLE_BYTES = 64 * 1024


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


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
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

    ...| range n - 1          | range n             |...
       ^ begins here: n - 1's  ^ begins here: n's, to its break
    """
    if number == 0:
        yield from _first_range(workload, gzipped=job.gzipped)
        return
    start, stop = number * RANGE_BYTES, (number + 1) * RANGE_BYTES
    # From the byte before on: what ends there or runs on into the range was begun in an earlier one.
    lines = read_lines(workload.read(start - 1), start - 1, first_number=0)
    earlier = next(lines, None)
    if earlier is not None:
        yield from _begun_before(stop, earlier.end, lines)


def _first_range(workload: Workload, *, gzipped: bool) -> Iterator[Line | BadLine]:
    if gzipped:
        lines = read_lines(_fitting(gunzip(workload.read(), _say_what_is_ignored)))
        yield from _until_broken(lines, InputError)
    else:
        lines = read_lines(_fitting(workload.read()))
        yield from _begun_before(RANGE_BYTES, 0, _until_broken(lines, _MisfitError))


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


def _begun_before(stop: int, begins: int, lines: Iterator[Line | BadLine]) -> Iterator[Line | BadLine]:
    while begins < stop and (line := next(lines, None)) is not None:
        yield line
        begins = line.end


def _until_broken(lines: Iterator[Line | BadLine], breaks: type[InputError]) -> Iterator[Line | BadLine]:
    number = 0
    try:
        for line in lines:
            number = line.number
            yield line
    except breaks as error:
        yield BadLine(number + 1, str(error), "", 0)
