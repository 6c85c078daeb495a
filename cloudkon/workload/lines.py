"""Cuts a workload into lines, whatever its size: a chunk and a line in memory at a time.

UTF-8 with or without a byte order mark, LF or CRLF, the last line with or without its break; gzip is known by its
first two bytes, not by the file's name.
"""

import codecs
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cloudkon.errors import InputError
from cloudkon.workload.task_line import MAX_LINE_BYTES

GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WBITS = 16 + zlib.MAX_WBITS
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A line that can be read; end is the offset of the first byte after it, its break included."""

    number: int
    text: str
    end: int


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that can't, with the reason."""

    number: int
    reason: str
    excerpt: str
    end: int


@dataclass(frozen=True, slots=True)
class _RawLine:
    """The bytes of a line without its break; over-long lines are cut off, their size is right."""

    data: bytes
    size_bytes: int
    end: int


def read_lines(chunks: Iterable[bytes], start: int = 0, first_number: int = 1) -> Iterator[Line | BadLine]:
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


def gunzip(chunks: Iterable[bytes], ignored: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """Decompress a gzip stream as gunzip does; raise InputError where it is broken or ends early.

    It has one or more members. Zeros after one, such as tapes and some storage fill up with, mean nothing; whatever
    else comes there is left out, and ignored is called.
    """
    inflate = zlib.decompressobj(_GZIP_WBITS)
    held = b""  # what may be half of the next member's magic number
    try:
        for chunk in chunks:
            data, held = held + chunk, b""
            while data:
                if inflate.eof:
                    data = data.lstrip(b"\0")
                    if len(data) < len(GZIP_MAGIC) and GZIP_MAGIC.startswith(data):
                        held = data
                        break
                    if not data.startswith(GZIP_MAGIC):
                        ignored()
                        return
                    inflate = zlib.decompressobj(_GZIP_WBITS)
                yield inflate.decompress(data, _CHUNK_BYTES)
                while inflate.unconsumed_tail:
                    yield inflate.decompress(inflate.unconsumed_tail, _CHUNK_BYTES)
                data = inflate.unused_data
    except zlib.error as error:
        raise InputError(f"The workload begins like gzip but can't be decompressed: {error}.") from error
    if held:
        ignored()
    if not inflate.eof:
        raise InputError("The gzip data of the workload ends early: it was probably not written or uploaded whole.")
