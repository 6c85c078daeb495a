"""Parts a PNG file: keeps the chunks that make its pixels, and reads profile and orientation (PNG, third edition)."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from animoto.formats.picture_file import DAMAGED, MAX_PROFILE_BYTES, PictureError, PictureFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xaeB`\x82"
_LENGTH_AND_NAME = 8
_CRC_BYTES = 4
_HEADER_BYTES = 13
_TRANSPARENCY_BYTES = {0: (2, 2), 2: (6, 6), 3: (1, 256)}
"""How long a tRNS chunk may be, by colour type: grey, colours, palette. Other types have none (11.3.1.1)."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    raw: memoryview

    @property
    def content(self) -> memoryview:
        return self.raw[_LENGTH_AND_NAME:-_CRC_BYTES]

    @property
    def is_intact(self) -> bool:
        return zlib.crc32(self.raw[4:-_CRC_BYTES]) == int.from_bytes(self.raw[-_CRC_BYTES:], "big")


def part_png(data: bytes) -> PictureFile:
    """Drop all chunks that are beside the pixels, and what follows the end; raise PictureError without a header.

    As browsers do, a chunk beside the pixels whose checksum is wrong counts as if it were not there. Pillow checks the
    others.
    """
    kept: list[bytes | memoryview] = [SIGNATURE]
    seen: dict[bytes, memoryview] = {}
    colour_type = None
    for chunk in _chunks(data):
        match chunk.name:
            case b"IHDR" if colour_type is None and len(chunk.content) == _HEADER_BYTES:
                colour_type = chunk.content[9]
                kept.append(chunk.raw)
            case b"PLTE" if b"PLTE" not in seen:
                seen[b"PLTE"] = chunk.content
                kept.append(chunk.raw)
            case b"IDAT":
                kept.append(chunk.raw)
            case b"tRNS" if b"tRNS" not in seen and chunk.is_intact:
                seen[b"tRNS"] = chunk.content
                if _is_transparency(len(chunk.content), colour_type):
                    kept.append(chunk.raw)
            case b"iCCP" | b"eXIf" if chunk.is_intact:
                seen.setdefault(chunk.name, chunk.content)
            case b"IEND":
                break
    if colour_type is None:
        raise PictureError(DAMAGED)
    return PictureFile(b"".join([*kept, _END]), _profile(bytes(seen.get(b"iCCP", b""))), bytes(seen.get(b"eXIf", b"")))


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """The chunks that are there as a whole."""
    view, at = memoryview(data), len(SIGNATURE)
    while at + _LENGTH_AND_NAME + _CRC_BYTES <= len(data):
        end = at + int.from_bytes(view[at : at + 4], "big") + _LENGTH_AND_NAME + _CRC_BYTES
        end = min(end, len(data))  # the rest of what is cut off, so that Pillow finds it cut off
        yield _Chunk(bytes(view[at + 4 : at + 8]), view[at:end])
        at = end


def _is_transparency(size_bytes: int, colour_type: int | None) -> bool:
    least, most = _TRANSPARENCY_BYTES.get(colour_type if colour_type is not None else -1, (1, 0))
    return least <= size_bytes <= most


def _profile(content: bytes) -> bytes | None:
    """The profile in an iCCP chunk (11.3.2.3): a name, a zero, the method 0, compressed bytes; None if it is none."""
    name, zero, rest = content.partition(b"\0")
    if not (name and zero and rest[:1] == b"\0"):
        return None
    try:
        decompressor = zlib.decompressobj()
        profile = decompressor.decompress(rest[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if decompressor.eof else None
