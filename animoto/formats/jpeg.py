"""Parts a JPEG file: keeps the segments that make its first picture, and reads profile and orientation (ITU-T T.81)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from animoto.formats.picture_file import DAMAGED, MAX_PROFILE_BYTES, PictureError, PictureFile

SIGNATURE = b"\xff\xd8"
_END = b"\xff\xd9"
_SCAN, _END_CODE, _APP0, _APP1, _APP2, _APP14 = 0xDA, 0xD9, 0xE0, 0xE1, 0xE2, 0xEE
_TABLES = frozenset({0xC4, 0xDB, 0xDD})
"""Huffman codes, quantisers, and the interval of restart markers."""
_WITHOUT_LENGTH = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
_FRAMES = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "is coded without loss"),
    **dict.fromkeys((0xC5, 0xC6, 0xCD, 0xCE), "is coded in layers"),
    **dict.fromkeys((0xC9, 0xCA), "is coded arithmetically"),
    **dict.fromkeys((0xC0, 0xC1, 0xC2), ""),
}
"""The markers that begin a frame (table B.1), each with what keeps browsers from showing it."""
_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_MARKER_IN_SCAN = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_BITS = 8
_FRAME_BYTES, _ADOBE_BYTES = 6, 12
_JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
_EXIF, _ICC = b"Exif\0\0", b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a picture's frame header says of it (B.2.2)."""

    width: int
    height: int
    components: int


@dataclass(frozen=True, slots=True)
class _Segment:
    code: int
    raw: memoryview
    """With its marker, and for a scan with its pixels."""
    content: memoryview


@dataclass(slots=True)
class _Beside:
    """What is told beside the pixels."""

    exif: bytes = b""
    profile_parts: dict[int, bytes] = field(default_factory=dict)
    profile_count: int = 0

    def take(self, segment: _Segment) -> None:
        content = bytes(segment.content)
        if segment.code == _APP1 and content.startswith(_EXIF) and not self.exif:
            self.exif = content
        elif segment.code == _APP2 and content.startswith(_ICC) and len(content) >= len(_ICC) + 2:
            number, self.profile_count = content[len(_ICC)], content[len(_ICC) + 1]
            self.profile_parts.setdefault(number, content[len(_ICC) + 2 :])

    @property
    def profile(self) -> bytes | None:
        """The profile (ICC.1:2022, B.4), unless a part of it is missing or it is too large."""
        numbers = range(1, self.profile_count + 1)
        if not numbers or sorted(self.profile_parts) != list(numbers):
            return None
        profile = b"".join(self.profile_parts[number] for number in numbers)
        return profile if len(profile) <= MAX_PROFILE_BYTES else None


@dataclass(slots=True)
class _Scanned:
    """Which coefficients of which components have come to their last bit (B.2.3, G.1.1.1)."""

    last_bits: set[tuple[int, int]] = field(default_factory=set)

    def take(self, scan: _Segment) -> None:
        head = scan.content
        if not head or len(head) != 4 + 2 * head[0]:
            raise PictureError(DAMAGED)
        first, last, bits = head[-3:]
        if not bits & 15:
            self.last_bits.update((component, k) for component in head[1:-3:2] for k in range(first, min(last, 63) + 1))

    def is_whole(self, frame: Frame) -> bool:
        """Whether nothing is missing of a picture whose file ends without an end."""
        return len(self.last_bits) == 64 * frame.components


def part_jpeg(data: bytes) -> tuple[PictureFile, Frame]:
    """Drop what is beside the pixels of the first picture; raise PictureError where browsers show nothing.

    What lies between segments is passed over, and so is all that follows the picture's end.
    """
    kept: list[bytes | memoryview] = [SIGNATURE]
    beside, frame, scanned, ended = _Beside(), None, _Scanned(), False
    for segment in _segments(data):
        if segment.code in _TABLES:
            kept.append(segment.raw)
        elif segment.code in _FRAMES and frame is None:
            frame = _frame(segment)
            kept.append(segment.raw)
        elif segment.code == _SCAN:
            scanned.take(segment)
            kept.append(segment.raw)
        elif segment.code == _END_CODE:
            ended = True
            kept.append(_END)
        else:
            kept.append(_colour_model(segment))
            beside.take(segment)
    if frame is None or not (ended or scanned.is_whole(frame)):
        raise PictureError(DAMAGED)
    return PictureFile(b"".join(kept), beside.profile, beside.exif), frame


def _segments(data: bytes) -> Iterator[_Segment]:
    view, at = memoryview(data), len(SIGNATURE)
    while found := _MARKER.search(data, at):
        code, start, at = found[1][0], found.end() - 2, found.end()
        if code == _END_CODE:
            yield _Segment(code, view[start:at], view[at:at])
            return
        length = int.from_bytes(view[at : at + 2], "big")
        if code in _WITHOUT_LENGTH or length < 2:
            continue
        head, at = at + 2, at + length
        if at > len(data):
            return  # cut off; what looks like markers in it may be those of a camera's thumbnail
        content = view[head:at]
        if code == _SCAN:
            after = _MARKER_IN_SCAN.search(data, at)
            at = after.start() if after else len(data)
        yield _Segment(code, view[start:at], content)


def _frame(segment: _Segment) -> Frame:
    content, obstacle = segment.content, _FRAMES[segment.code]
    if len(content) < _FRAME_BYTES:
        raise PictureError(DAMAGED)
    if content[0] != _BITS:
        obstacle = f"has {content[0]} bits a level"
    if obstacle:
        raise PictureError(f"it is a JPEG picture that {obstacle}, which is not supported")
    return Frame(int.from_bytes(content[3:5], "big"), int.from_bytes(content[1:3], "big"), content[5])


def _colour_model(segment: _Segment) -> bytes:
    """The segment, without the rest of its content, if it says what the levels mean: JFIF or Adobe's."""
    content = bytes(segment.content[:_ADOBE_BYTES])
    if segment.code == _APP0 and content.startswith(b"JFIF\0"):
        return _JFIF
    if segment.code == _APP14 and content.startswith(b"Adobe") and len(content) == _ADOBE_BYTES:
        return b"\xff\xee\0\x0e" + content
    return b""
