"""The readers as they were before they read in blocks, line by line: what those in blocks are compared with."""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloudkon.ledger.bundle import LineNumbers
from cloudkon.workload.lines import BadLine, Line
from cloudkon.workload.packing import MAX_BUNDLE_BYTES, PackedBundle, Reject
from cloudkon.workload.planning import is_header, read_options
from cloudkon.workload.task_line import MAX_LINE_BYTES, LineError, is_task_line, parse_task


@dataclass(frozen=True, slots=True)
class _RawLine:
    """The bytes of a line without its break; over-long lines are cut off, their size is right."""

    data: bytes
    size_bytes: int
    end: int


def lines_one_by_one(chunks: Iterable[bytes], start: int = 0, first_number: int = 1) -> Iterator[Line | BadLine]:
    """Read the lines from the offset start on; the first of them gets first_number."""
    at_beginning = start == 0
    for number, raw in enumerate(_raw_lines(chunks, start), start=first_number):
        data = raw.data.removeprefix(codecs.BOM_UTF8) if at_beginning else raw.data
        at_beginning = False
        yield _decoded(number, data, raw)


def _decoded(number: int, data: bytes, raw: _RawLine) -> Line | BadLine:
    if raw.size_bytes > MAX_LINE_BYTES:
        reason = f"the line has {raw.size_bytes:,} bytes; the most is {MAX_LINE_BYTES:,}"
        return BadLine(number, reason, _excerpt(data), raw.end)
    try:
        return Line(number, data.decode(), raw.end)
    except UnicodeDecodeError as error:
        reason = f"not UTF-8: byte 0x{data[error.start]:02x} at byte {error.start + 1} of the line"
        return BadLine(number, reason, _excerpt(data), raw.end)


def _excerpt(data: bytes) -> str:
    return data[:120].decode(errors="replace")


def _raw_lines(chunks: Iterable[bytes], start: int) -> Iterator[_RawLine]:
    rest = b""
    dropped = 0  # bytes of an over-long line that were let go
    end = start
    for chunk in chunks:
        pieces = (rest + chunk).split(b"\n")
        rest = pieces.pop()
        for piece in pieces:
            end += dropped + len(piece) + 1
            yield _raw(piece, dropped, end)
            dropped = 0
        if len(rest) > 2 * MAX_LINE_BYTES:
            dropped += len(rest) - MAX_LINE_BYTES
            rest = rest[:MAX_LINE_BYTES]
    if rest:
        yield _raw(rest, dropped, end + dropped + len(rest))


def _raw(piece: bytes, dropped: int, end: int) -> _RawLine:
    data = piece.removesuffix(b"\r")
    return _RawLine(data, dropped + len(data), end)


def packed_one_by_one(
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
            yield Reject(line.number, str(error), line.text[:120])
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
