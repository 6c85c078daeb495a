"""Reads a range of a workload: the lines that begin in it, whatever chunks they arrive in."""

from collections.abc import Iterator

from cloudkon.errors import InputError
from cloudkon.ledger.job import RANGE_BYTES, Job, Source
from cloudkon.ports import ObjectStore
from cloudkon.workload.lines import GZIP_MAGIC, BadLine, Line, gunzip, read_lines
from cloudkon.workload.planning import Sample, sample

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


def look_at(workload: Workload, size_bytes: int) -> tuple[Sample, int, bool]:
    """Read the first lines; return the sample, the (estimated) size in plain text, and whether it is gzipped."""
    if not size_bytes:
        return sample([], whole=True), 0, False
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
    return sample(lines, whole=whole), plain_bytes, gzipped


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
    if job.gzipped:
        yield from _until_broken(read_lines(gunzip(workload.read())))
        return
    start, stop = number * RANGE_BYTES, (number + 1) * RANGE_BYTES
    if start == 0:
        yield from _begun_before(stop, 0, read_lines(workload.read()))
        return
    # From the byte before on: what ends there or runs on into the range was begun in an earlier one.
    lines = read_lines(workload.read(start - 1), start - 1, first_number=0)
    earlier = next(lines, None)
    if earlier is not None:
        yield from _begun_before(stop, earlier.end, lines)


def _begun_before(stop: int, begins: int, lines: Iterator[Line | BadLine]) -> Iterator[Line | BadLine]:
    while begins < stop and (line := next(lines, None)) is not None:
        yield line
        begins = line.end


def _until_broken(lines: Iterator[Line | BadLine]) -> Iterator[Line | BadLine]:
    number = 0
    try:
        for line in lines:
            number = line.number
            yield line
    except InputError as error:
        yield BadLine(number + 1, str(error), "", 0)
