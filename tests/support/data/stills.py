"""Pictures for videos, made from a number; and what decoders see of the videos."""

import math
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av import VideoFrame
from av.bitstream import BitStreamFilterContext

Planes = tuple[bytes, ...]
"""Brightness and colours, each row after row."""

RED, GREY, WHITE, BLACK = (81, 90, 240), (128, 128, 128), (235, 128, 128), (16, 128, 128)


def still(number: int, width: int = 64, height: int = 48) -> VideoFrame:
    """A picture full of detail, in the colours that every number has."""
    dice = random.Random(number)
    frame = VideoFrame(width, height, "yuv420p")
    for plane in frame.planes:
        middle, spread = dice.randrange(60, 200), dice.randrange(4, 40)
        levels = bytes(middle + (value * spread >> 8) - spread // 2 for value in range(256))
        plane.update(dice.randbytes(plane.buffer_size).translate(levels))
    return frame


def plain(colour: tuple[int, int, int], width: int = 64, height: int = 48) -> VideoFrame:
    """A picture of one colour."""
    frame = VideoFrame(width, height, "yuv420p")
    for plane, level in zip(frame.planes, colour, strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return frame


def planes(frame: VideoFrame) -> Planes:
    """Without what lies between the rows in memory."""
    return tuple(_rows(bytes(plane), plane.width, plane.height, plane.line_size) for plane in frame.planes)


def _rows(data: bytes, width: int, height: int, line_size: int) -> bytes:
    if width == line_size:
        return data[: width * height]
    return b"".join(data[at : at + width] for at in range(0, height * line_size, line_size))


def decoded(path: Path) -> Iterator[Planes]:
    """The video's frames, as libavcodec shows them."""
    with av.open(str(path)) as container:
        yield from map(planes, container.decode(video=0))


def sought(path: Path, time_s: Fraction) -> Planes:
    """The frame at this time, reached from the key frame before it."""
    with av.open(str(path)) as container:
        [stream] = container.streams.video
        assert stream.time_base is not None
        wanted = int(time_s / stream.time_base)
        container.seek(wanted, stream=stream)
        return next(
            planes(frame) for frame in container.decode(stream) if frame.pts is not None and frame.pts >= wanted
        )


def byte_stream(path: Path) -> Iterator[bytes]:
    """The video's packets in decoding order, with start codes and parameter sets."""
    with av.open(str(path)) as container:
        [stream] = container.streams.video
        converter = BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            if packet.size:
                yield from map(bytes, converter.filter(packet))


def worst(left: Planes, right: Planes) -> int:
    """The largest difference of two frames' levels."""
    return max(abs(a - b) for one, other in zip(left, right, strict=True) for a, b in zip(one, other, strict=True))


def noise_db(left: Planes, right: Planes) -> float:
    """How far two frames are apart: the peak signal-to-noise ratio of their brightness."""
    squares = sum((a - b) ** 2 for a, b in zip(left[0], right[0], strict=True))
    return float("inf") if not squares else 10 * math.log10(255 * 255 * len(left[0]) / squares)
