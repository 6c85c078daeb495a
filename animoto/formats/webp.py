"""Parts a WebP file: keeps the chunks that make its pixels, and reads profile and orientation (RFC 9649)."""

from collections.abc import Iterator

from animoto.formats.picture_file import DAMAGED, MAX_PROFILE_BYTES, PictureError, PictureFile

_RIFF_BYTES, _HEAD_BYTES = 12, 8
_PIXELS = frozenset({b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"})
_NOT_BESIDE = 0b0001_0010
"""The flags of a VP8X chunk that tell of transparency and animation (2.7.1); others tell of what is dropped."""


def is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def part_webp(data: bytes) -> PictureFile:
    """Drop the chunks beside the pixels and what follows the end; raise PictureError if the pixels are not there."""
    kept: list[bytes] = []
    profile, exif = None, b""
    for name, content in _chunks(data):
        if name == b"VP8X" and content:
            kept.append(_chunk(name, bytes([content[0] & _NOT_BESIDE]) + content[1:]))
        elif name in _PIXELS:
            kept.append(_chunk(name, content))
        elif name == b"ICCP" and len(content) <= MAX_PROFILE_BYTES:
            profile = profile or bytes(content)
        elif name == b"EXIF":
            exif = exif or bytes(content)
    body = b"".join([b"WEBP", *kept])
    if not kept:
        raise PictureError(DAMAGED)
    return PictureFile(b"RIFF" + len(body).to_bytes(4, "little") + body, profile, exif)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The chunks that are there as a whole; raise PictureError where pixels are cut off."""
    view, at = memoryview(data), _RIFF_BYTES
    end = min(len(data), _HEAD_BYTES + int.from_bytes(view[4:8], "little"))
    while at + _HEAD_BYTES <= end:
        size = int.from_bytes(view[at + 4 : at + 8], "little")
        name, content = bytes(view[at : at + 4]), view[at + _HEAD_BYTES : min(end, at + _HEAD_BYTES + size)]
        if len(content) == size:
            yield name, content
        elif name in _PIXELS:
            raise PictureError(DAMAGED)
        at += _HEAD_BYTES + size + size % 2


def _chunk(name: bytes, content: bytes | memoryview) -> bytes:
    return b"".join([name, len(content).to_bytes(4, "little"), content, b"\0" * (len(content) % 2)])
