"""The other engine: every frame is drawn and encoded, for what can't be synthesised, and to judge what is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise

from av import Packet, VideoFrame
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream
from PIL import Image

from animoto.h264.parameter_sets import MATRIX, PRIMARIES, TRANSFER
from animoto.h264.stream import AccessUnit, CodedVideo
from animoto.h264.timeline import SEEK_SECONDS
from animoto.picture.planes import joined, planes_of
from animoto.picture.zoom import zoomed
from animoto.video import VideoSpec

_THREADS = 2
"""Always as many: with other numbers x264 gives other bytes."""
_INTRA_STEPS = 3
"""How much finer x264 quantises intra pictures than others (its ipratio, 1.4)."""


def encoded(pictures: Iterable[VideoFrame], spec: VideoSpec) -> CodedVideo:
    """The video of pictures, all of its frames encoded by x264; holds two pictures at a time."""
    encoder = _encoder(spec)
    encoder.open()
    return CodedVideo(bytes(encoder.extradata or b""), _units(encoder, _frames(pictures, spec)))


def _encoder(spec: VideoSpec) -> VideoCodecContext:
    encoder = VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = spec.width, spec.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, spec.fps), Fraction(spec.fps)
    encoder.color_primaries, encoder.color_trc, encoder.colorspace = PRIMARIES, TRANSFER, MATRIX
    encoder.color_range = ColorRange.MPEG
    encoder.thread_count = _THREADS
    encoder.flags |= Flags.global_header
    encoder.options = {
        "profile": "main",
        "preset": "superfast",
        # A picture that stands is made of what its fade left, so all frames are as fine as x264 makes intra pictures,
        # three steps finer than what it is told, and rounded to the truth: else noise comes out blurred.
        "qp": str(spec.qp - _INTRA_STEPS),
        "x264-params": f"sliced-threads=0:keyint={SEEK_SECONDS * spec.fps}:open-gop=0"
        ":deadzone-inter=8:deadzone-intra=4",
    }
    return encoder


def _units(encoder: VideoCodecContext, frames: Iterable[VideoFrame]) -> Iterator[AccessUnit]:
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, encoder.time_base
        frame.pict_type = PictureType.NONE  # a decoded JPEG asks to be a key frame, each time
        yield from map(_unit, encoder.encode(frame))
    yield from map(_unit, encoder.encode(None))


def _unit(packet: "Packet[VideoStream]") -> AccessUnit:
    if packet.pts is None or packet.dts is None:
        raise ValueError("The encoder gave a frame without its times.")
    return AccessUnit(bytes(packet), packet.pts, packet.dts, packet.is_keyframe)


def _frames(pictures: Iterable[VideoFrame], spec: VideoSpec) -> Iterator[VideoFrame]:
    """Every frame of the video, in order of presentation."""
    pace, fade = spec.pace, 0
    shown = (_Shown(number, picture, spec.pan_zoom) for number, picture in enumerate(pictures))
    for picture, following in pairwise(chain(shown, [None])):
        if picture is None:
            return
        start, end = pace.start(picture.number), pace.start(picture.number + 1)
        picture.first, picture.last = start - fade, end
        fade = pace.fade_of(picture.number) if following else 0
        for at in range(start, end - fade):
            yield picture.frame(at)
        if following:
            following.first, following.last = end - fade, pace.start(following.number + 1)
            for at in range(end - fade, end):
                yield _blend(picture.planes(at), following.planes(at), Fraction(at - (end - fade) + 1, fade + 1))


@dataclass(slots=True)
class _Shown:
    """A picture, and the frames from which and up to which it is seen, fades included."""

    number: int
    picture: VideoFrame
    moves: bool
    first: int = 0
    last: int = 0

    def frame(self, at: int) -> VideoFrame:
        return joined(self.planes(at)) if self.moves else self.picture

    def planes(self, at: int) -> list[Image.Image]:
        planes = planes_of(self.picture)
        return zoomed(planes, self.number, Fraction(at - self.first, self.last - self.first)) if self.moves else planes


def _blend(before: list[Image.Image], after: list[Image.Image], share: Fraction) -> VideoFrame:
    """Linear, and cut to whole levels."""
    return joined([Image.blend(a, b, float(share)) for a, b in zip(before, after, strict=True)])
