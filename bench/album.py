"""Pictures that carry their number: landscapes under a strip of black and white blocks, which survives any coding.

Thousands of different pictures need not be drawn: a JPEG file whose rows of blocks stand alone (restart markers, ITU-T
T.81, B.2.1) takes another strip without being decoded.
"""

import io
import re
from functools import cache

from av import VideoFrame
from PIL import Image, ImageDraw

from animoto.landscapes import HEIGHT, WIDTH, landscape

_BITS = 16
"""The number, after which comes its complement."""
_BLOCK = WIDTH // (2 * _BITS)
_ROW, _STRIP_ROWS = 16, 2
"""Lines of pixels that are coded together, and how many of them the strip takes."""
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_SCAN = 0xDA


class Album:
    """Makes pictures as they are asked for, from a few landscapes; counts what it hands out."""

    def __init__(self, landscapes: int) -> None:
        self._landscapes = [_Rows(landscape(number, str(number + 1))) for number in range(landscapes)]
        self.handed_out: list[int] = []
        """The bytes of each picture that was asked for."""

    def picture(self, name: str) -> bytes:
        """The JPEG file of a number, in decimal digits."""
        number = int(name)
        made = self._landscapes[number % len(self._landscapes)].under(_strip(number))
        self.handed_out.append(len(made))
        return made


class _Rows:
    """A JPEG file, cut into its head and its rows of blocks."""

    def __init__(self, image: Image.Image) -> None:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=88, subsampling="4:2:0", restart_marker_rows=1)
        data = file.getvalue()
        scan = _scan(data)
        self._head = data[:scan]
        self._rows = _RESTART.split(data[scan:-2])
        assert len(self._rows) == -(-image.height // _ROW)

    def under(self, strip: "_Rows") -> bytes:
        """The same picture with another first rows."""
        rows = [*strip._rows, *self._rows[_STRIP_ROWS:]]  # noqa: SLF001 (one of its kind)
        marked = (row + bytes((0xFF, 0xD0 + at % 8)) for at, row in enumerate(rows[:-1]))
        return b"".join((self._head, *marked, rows[-1], b"\xff\xd9"))


@cache
def _strip(number: int) -> _Rows:
    image = Image.new("RGB", (WIDTH, _ROW * _STRIP_ROWS), "black")
    pen = ImageDraw.Draw(image)
    for at, bit in enumerate(f"{number:0{_BITS}b}{~number & (1 << _BITS) - 1:0{_BITS}b}"):
        if bit == "1":
            pen.rectangle((at * _BLOCK, 0, (at + 1) * _BLOCK - 1, image.height), "white")
    return _Rows(image)


def read_number(frame: VideoFrame) -> int:
    """The number of the picture that a frame shows; raises ValueError where no strip is."""
    assert (frame.width, frame.height) == (WIDTH, HEIGHT)
    brightness = frame.planes[0]
    line = memoryview(brightness)[brightness.line_size * _ROW * _STRIP_ROWS // 2 :]
    blocks = [line[_BLOCK * at + _BLOCK // 2] > 128 for at in range(2 * _BITS)]
    number, complement = (
        sum(bit << _BITS - 1 - at for at, bit in enumerate(part)) for part in (blocks[:_BITS], blocks[_BITS:])
    )
    if number ^ complement != (1 << _BITS) - 1:
        raise ValueError("This frame has no number.")
    return number


def _scan(data: bytes) -> int:
    """Where the coded rows begin: after the segments, each of which tells its length."""
    at, kind = 2, 0
    while kind != _SCAN:
        kind = data[at + 1]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at
