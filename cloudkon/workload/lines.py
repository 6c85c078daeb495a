"""Cuts a workload into lines, whatever its size: a chunk and a line in memory at a time.

UTF-8 with or without a byte order mark, LF or CRLF, the last line with or without its break; gzip is known by its
first two bytes, not by the file's name.
"""

import codecs
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cloudkon.errors import InputError
from cloudkon.workload.task_line import MAX_LINE_BYTES

GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WBITS = 16 + zlib.MAX_WBITS
_CHUNK_BYTES = 256 * 1024
_PART_BYTES = 32 * 1024
_PLAIN = bytes(set(range(0x20, 0x7F)) - set(b"\"'\\")) + b"\n"
_ODD_STARTS = (b"\n", b" ", b"#", b"{")
_ODD_BREAKS = tuple(b"\n" + start for start in _ODD_STARTS)


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
class Block:
    """Many lines at once, each of them a task of plain words; end is the offset of the first byte after the last."""

    first_number: int
    texts: Sequence[str]
    end: int

    @property
    def last_number(self) -> int:
        return self.first_number + len(self.texts) - 1

    def lines(self) -> Iterator[Line]:
        """The lines one by one."""
        end = self.end - sum(map(len, self.texts)) - len(self.texts)
        for number, text in enumerate(self.texts, start=self.first_number):
            end += len(text) + 1
            yield Line(number, text, end)


@dataclass(frozen=True, slots=True)
class _RawLine:
    """The bytes of a line without its break; over-long lines are cut off, their size is right."""

    data: bytes
    size_bytes: int
    end: int


def read_lines(chunks: Iterable[bytes], start: int = 0, first_number: int = 1) -> Iterator[Line | BadLine]:
    """Read the lines from the offset start on; the first of them gets first_number."""
    return one_by_one(read_blocks(chunks, start, first_number))


def one_by_one(items: Iterable[Block | Line | BadLine]) -> Iterator[Line | BadLine]:
    """The lines of the blocks, and the other lines, in their order."""
    for item in items:
        if isinstance(item, Block):
            yield from item.lines()
        else:
            yield item


def read_blocks(chunks: Iterable[bytes], start: int = 0, first_number: int = 1) -> Iterator[Block | Line | BadLine]:
    """Read the lines as read_lines does; where many in a row are tasks of plain words, read them as a block.

    A line in a block costs a tenth of one that is read by itself.
    """
    number, end, rest = first_number, start, b""
    dropped = 0  # bytes of an over-long line that were let go
    for chunk in chunks:
        data = rest + chunk
        cut = data.rfind(b"\n") + 1
        rest = data[cut:]
        for part in _parts(data, cut):
            if _is_plain(part):  # no end of an over-long line: what is kept of one is longer than a part
                texts = part[:-1].decode("ascii").split("\n")
                end += len(part)
                yield Block(number, texts, end)
                number += len(texts)
                continue
            for piece in part[:-1].split(b"\n"):
                end += dropped + len(piece) + 1
                yield _decoded(number, _raw(piece, dropped, end), at_beginning=number == first_number and start == 0)
                number += 1
                dropped = 0
        if len(rest) > 2 * MAX_LINE_BYTES:
            dropped += len(rest) - MAX_LINE_BYTES
            rest = rest[:MAX_LINE_BYTES]
    if rest:
        raw = _raw(rest, dropped, end + dropped + len(rest))
        yield _decoded(number, raw, at_beginning=number == first_number and start == 0)


def _parts(data: bytes, stop: int) -> Iterator[bytes]:
    """Cut whole lines into parts of about _PART_BYTES, so that one odd line makes few others odd."""
    at = 0
    while at < stop:
        cut = data.rfind(b"\n", at, min(at + _PART_BYTES, stop)) + 1
        if not cut:
            cut = data.index(b"\n", at) + 1
        yield data[at:cut]
        at = cut


def _is_plain(part: bytes) -> bool:
    """Whether every line is a task of words that need no look at their characters, and none is too long.

    Such lines hold printable ASCII without quotes and backslashes, and begin neither with a blank, nor as a comment
    (#) or as JSON ({).
    """
    if len(part) > _PART_BYTES or part[:1] in _ODD_STARTS or part.translate(None, _PLAIN):
        return False
    return not any(odd in part for odd in _ODD_BREAKS)


def _decoded(number: int, raw: _RawLine, *, at_beginning: bool) -> Line | BadLine:
    data = raw.data.removeprefix(codecs.BOM_UTF8) if at_beginning else raw.data
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
