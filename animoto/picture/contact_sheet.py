"""Makes a contact sheet: small copies of a video's pictures in rows, which show the video without playing it."""

import io

from av import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

_COLUMNS, _MAX_TILES = 4, 12
_TILE_WIDTH = 320
_QUALITY = 85


class ContactSheet:
    """Shows at most twelve pictures, evenly spread, in their order."""

    def __init__(self, pictures: int) -> None:
        self._every = -(-pictures // _MAX_TILES)
        self._seen = 0
        self._tiles: list[Image.Image] = []

    def add(self, frame: VideoFrame) -> None:
        """Take the next frame: yuv420p in limited range."""
        if self._seen % self._every == 0:
            self._tiles.append(_make_tile(frame))
        self._seen += 1

    def jpeg(self) -> bytes:
        """Return the sheet as a JPEG file. At least one frame must have been added."""
        columns = min(_COLUMNS, len(self._tiles))
        rows = -(-len(self._tiles) // columns)
        width, height = self._tiles[0].size
        sheet = Image.new("RGB", (columns * width, rows * height))
        for number, tile in enumerate(self._tiles):
            sheet.paste(tile, (number % columns * width, number // columns * height))
        file = io.BytesIO()
        sheet.save(file, "JPEG", quality=_QUALITY)
        return file.getvalue()


def _make_tile(frame: VideoFrame) -> Image.Image:
    tile = frame.reformat(
        width=_TILE_WIDTH,
        height=max(1, round(_TILE_WIDTH * frame.height / frame.width)),
        format="rgb24",
        interpolation="AREA",
        src_colorspace=Colorspace.SMPTE170M,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    [rows] = tile.planes
    return Image.frombytes("RGB", (tile.width, tile.height), bytes(rows), "raw", "RGB", rows.line_size, 1)
