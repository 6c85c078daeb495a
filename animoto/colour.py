"""The colours of the video: those that browsers show right.

Primaries and transfer function are those of sRGB, the matrix is the one of JPEG, whose numbers so need no conversion
but for their range. The tags are those that the stream itself carries.
"""

from av import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange

from animoto.parameter_sets import MATRIX, PRIMARIES, TRANSFER

# libswscale cuts the fractions of colour off, which is seen as a shift of up to two levels.
_BRIGHTNESS = bytes(round(16 + value * 219 / 255) for value in range(256))
_COLOUR = bytes(round(128 + (value - 128) * 224 / 255) for value in range(256))


def limited(full: VideoFrame) -> VideoFrame:
    """A frame of 4:2:0 in full range as yuv420p in limited range, rounded right and tagged."""
    frame = VideoFrame(full.width, full.height, "yuv420p")
    for source, target, table in zip(full.planes, frame.planes, (_BRIGHTNESS, _COLOUR, _COLOUR), strict=True):
        target.update(aligned(bytes(source).translate(table), source.line_size, target))
    frame.color_range = ColorRange.MPEG
    frame.colorspace = MATRIX
    frame.color_primaries = PRIMARIES
    frame.color_trc = TRANSFER
    return frame


def aligned(data: bytes, line_size: int, target: VideoPlane) -> bytes:
    """The rows at the distance that the target's memory has."""
    if (line_size, len(data)) == (target.line_size, target.buffer_size):
        return data
    rows = (data[at : at + target.width] for at in range(0, target.height * line_size, line_size))
    return b"".join(row.ljust(target.line_size, b"\0") for row in rows)
