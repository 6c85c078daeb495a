"""What can be seen of a video: which picture is shown when, and how like it is.

python -m bench.animoto.judging.likeness VIDEO PICTURE ... prints it as JSON.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
from av import VideoFormat, VideoFrame
from av.bitstream import BitStreamFilterContext
from av.filter import Graph
from av.video.reformatter import ColorRange, Colorspace

from animoto.canvas import Canvas
from animoto.picture.planes import planes_of
from animoto.pictures import frame_of
from bench.animoto.judging import openh264
from bench.animoto.judging.judge import Seen
from bench.animoto.sources.pictures import HEIGHT, WIDTH

LOOKED_AT_S = Fraction(1, 4)
"""How long after its picture's second has begun a frame is looked at."""


def look(video: Path, pictures: list[Path], *, twice: bool) -> Seen:
    originals = [frame_of(path.read_bytes(), Canvas()) for path in pictures]
    small = [thumbnail(original) for original in originals]
    ssim, psnr = _Comparison("ssim", "lavfi.ssim.Y"), _Comparison("psnr", "lavfi.psnr.psnr.y")
    right = 0
    likenesses: list[float] = []
    noises: list[float] = []
    for original, frame in zip(originals, instants(video), strict=False):
        shown = as_shown(frame)
        right += _nearest(thumbnail(shown), small) == len(likenesses)
        likenesses.append(ssim.of(shown, original))
        noises.append(psnr.of(shown, original))
    frames, duration_s = _length(video)
    head = video.read_bytes()
    first = -1 < head.find(b"moov") < head.find(b"mdat")
    agree = _agree(video) if twice and openh264.LIBRARY else None
    return Seen(frames, duration_s, first, right, likenesses, noises, agree)


def instants(video: Path) -> Iterator[VideoFrame]:
    """The frame that is shown at each of the instants."""
    at, before = LOOKED_AT_S, None
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            shown_s = (frame.pts or 0) * (frame.time_base or Fraction(1))
            while before is not None and shown_s > at:
                yield before
                at += 1
            before = frame
    if before is not None:
        yield before


def _length(video: Path) -> tuple[int, float]:
    with av.open(str(video)) as container:
        frames = sum(1 for packet in container.demux(video=0) if packet.size)
        return frames, (container.duration or 0) / av.time_base


def as_shown(frame: VideoFrame) -> VideoFrame:
    """As a player takes it, by its own tags; what bears none is limited range."""
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return frame.reformat(
        width=WIDTH,
        height=HEIGHT,
        format="yuv420p",
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.MPEG,
        src_colorspace=Colorspace.SMPTE170M,
        dst_colorspace=Colorspace.SMPTE170M,
    )


def thumbnail(frame: VideoFrame) -> bytes:
    small = frame.reformat(width=32, height=18, format="gray", interpolation="AREA")
    return bytes(small.planes[0])


def _nearest(one: bytes, others: list[bytes]) -> int:
    return min(range(len(others)), key=lambda at: sum(abs(a - b) for a, b in zip(one, others[at], strict=True)))


class _Comparison:
    """A filter that compares pairs of frames."""

    def __init__(self, name: str, key: str) -> None:
        self._graph, self._key, self._pairs = Graph(), key, 0
        size = {"width": WIDTH, "height": HEIGHT, "format": VideoFormat("yuv420p"), "time_base": Fraction(1)}
        self._sides = [self._graph.add_buffer(**size) for _ in range(2)]  # type: ignore[arg-type]
        compare, self._sink = self._graph.add(name), self._graph.add("buffersink")
        for number, side in enumerate(self._sides):
            side.link_to(compare, 0, number)
        compare.link_to(self._sink)
        self._graph.configure()

    def of(self, *pair: VideoFrame) -> float:
        for side, frame in zip(self._sides, pair, strict=True):
            frame.pts = self._pairs
            side.push(frame)
        self._pairs += 1
        return float(self._sink.pull().metadata[self._key])


def _agree(video: Path) -> bool:
    """Whether two decoders show the same, to the bit."""
    ours, theirs = _decoded(video), openh264.decode(_byte_stream(video))
    try:
        return all(one == other for one, other in zip(ours, theirs, strict=True))
    except ValueError:  # OpenH264 is not content, or one of them shows more frames
        return False


def _decoded(video: Path) -> Iterator[tuple[bytes, ...]]:
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            yield tuple(plane.tobytes() for plane in planes_of(frame))


def _byte_stream(video: Path) -> Iterator[bytes]:
    with av.open(str(video)) as container:
        [stream] = container.streams.video
        converter = BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            if packet.size:
                yield from map(bytes, converter.filter(packet))


def main() -> None:
    twice, video, *pictures = sys.argv[1:]
    print(json.dumps(asdict(look(Path(video), [Path(path) for path in pictures], twice=twice == "twice"))))


if __name__ == "__main__":
    main()
