"""Undoes the compression of a body that a server compressed without being asked."""

import zlib
from collections.abc import Iterator

from animoto.download.fetch_error import FetchError

_GZIP_MAGIC = b"\x1f\x8b"
_PIECE_BYTES = 64 * 1024
_GZIP, _ZLIB, _RAW = 31, zlib.MAX_WBITS, -zlib.MAX_WBITS
"""How zlib is told the format: https://docs.python.org/3/library/zlib.html#zlib.decompress"""
_INFLATED = frozenset({"gzip", "x-gzip", "deflate"})
_NOT_READ = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM")


class Decoder:
    """Undoes one coding; what says that it is compressed, and is not, is passed on as it is."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._begin = b""
        self._inflater: zlib._Decompress | None = None
        self._is_plain = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data becomes, in pieces of bounded size; raise FetchError if it is damaged."""
        if self._inflater is None and not self._is_plain:
            self._begin += data
            if len(self._begin) < len(_GZIP_MAGIC):
                return
            data, self._begin = self._begin, b""
            self._choose(data)
        if self._is_plain:
            yield data
        else:
            yield from self._inflate(data)

    def end(self) -> Iterator[bytes]:
        """Yield what is left; raise FetchError if something is missing."""
        if self._inflater is not None and not self._inflater.eof:
            raise FetchError("its compressed body ends too early", temporary=True)
        if self._begin:
            yield self._begin

    def _choose(self, begin: bytes) -> None:
        """Look at the first bytes: deflate comes with zlib's header (RFC 1950, 2.2) and without."""
        if begin.startswith(_PICTURES) or (self._coding != "deflate" and not begin.startswith(_GZIP_MAGIC)):
            self._is_plain = True
        elif begin.startswith(_GZIP_MAGIC):
            self._inflater = zlib.decompressobj(_GZIP)
        else:
            is_zlib = begin[0] & 15 == zlib.DEFLATED and int.from_bytes(begin[:2], "big") % 31 == 0
            self._inflater = zlib.decompressobj(_ZLIB if is_zlib else _RAW)

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        inflater = self._inflater or zlib.decompressobj(_GZIP)
        try:
            while data and not inflater.eof:
                if piece := inflater.decompress(data, _PIECE_BYTES):
                    yield piece
                data = inflater.unconsumed_tail
                if inflater.unused_data.startswith(_GZIP_MAGIC):  # another member (RFC 1952, 2.2)
                    data, inflater = inflater.unused_data, zlib.decompressobj(_GZIP)
        except zlib.error:
            raise FetchError("its compressed body is damaged") from None
        self._inflater = inflater


def decoders(header: str) -> list[Decoder]:
    """What undoes a Content-Encoding, in the order to undo it; raise FetchError for a coding that can't be undone.

    Codings that nobody knows ("none", "utf-8", "aws-chunked") change nothing, as in browsers.
    """
    codings = [coding.strip().lower() for coding in header.split(",")]
    for coding in codings:
        if coding in _NOT_READ:
            raise FetchError(f"the server sent it compressed ({coding!r}), which was not asked for")
    return [Decoder(coding) for coding in reversed(codings) if coding in _INFLATED]


def decode(data: bytes, chain: list[Decoder]) -> Iterator[bytes]:
    """Pass data through decoders, one after the other."""
    if not chain:
        yield data
        return
    for piece in chain[0].feed(data):
        yield from decode(piece, chain[1:])


def decode_end(chain: list[Decoder]) -> Iterator[bytes]:
    """What decoders hold at the end."""
    for number, decoder in enumerate(chain):
        for piece in decoder.end():
            yield from decode(piece, chain[number + 1 :])
