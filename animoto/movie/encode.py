"""The engine that draws and encodes every frame: for videos that can't be synthesised, and as their reference."""

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
from animoto.picture.planes import frame_of_planes, planes_of
from animoto.picture.zoom import zoom
from animoto.video import VideoSpec

_THREADS = 2
"""Fixed, because x264 gives other bytes with another number of threads."""
_INTRA_STEPS = 3
"""How much finer x264 quantises intra pictures than others (its ipratio, 1.4)."""


def encode_every_frame(pictures: Iterable[VideoFrame], spec: VideoSpec) -> CodedVideo:
    """Encode all frames of the video by x264. Two pictures are in memory at a time."""
    encoder = _make_encoder(spec)
    encoder.open()
    return CodedVideo(bytes(encoder.extradata or b""), _encode_units(encoder, _draw_frames(pictures, spec)))


def _make_encoder(spec: VideoSpec) -> VideoCodecContext:
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


def _encode_units(encoder: VideoCodecContext, frames: Iterable[VideoFrame]) -> Iterator[AccessUnit]:
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, encoder.time_base
        frame.pict_type = PictureType.NONE  # a decoded JPEG asks to be a key frame, each time
        yield from map(_to_unit, encoder.encode(frame))
    yield from map(_to_unit, encoder.encode(None))


def _to_unit(packet: "Packet[VideoStream]") -> AccessUnit:
    if packet.pts is None or packet.dts is None:
        raise ValueError("The encoder gave a frame without its times.")
    return AccessUnit(bytes(packet), packet.pts, packet.dts, packet.is_keyframe)


def _draw_frames(pictures: Iterable[VideoFrame], spec: VideoSpec) -> Iterator[VideoFrame]:
    """Every frame of the video, in order of presentation."""
    timing, fade = spec.timing, 0
    shown = (_Shown(number, picture, spec.pan_zoom) for number, picture in enumerate(pictures))
    for picture, following in pairwise(chain(shown, [None])):
        if picture is None:
            return
        start, end = timing.start(picture.number), timing.start(picture.number + 1)
        picture.first, picture.last = start - fade, end
        fade = timing.fade_of(picture.number) if following else 0
        for at in range(start, end - fade):
            yield picture.frame(at)
        if following:
            following.first, following.last = end - fade, timing.start(following.number + 1)
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
        return frame_of_planes(self.planes(at)) if self.moves else self.picture

    def planes(self, at: int) -> list[Image.Image]:
        planes = planes_of(self.picture)
        return zoom(planes, self.number, Fraction(at - self.first, self.last - self.first)) if self.moves else planes


def _blend(before: list[Image.Image], after: list[Image.Image], share: Fraction) -> VideoFrame:
    """A linear blend; levels are truncated to integers."""
    return frame_of_planes([Image.blend(a, b, float(share)) for a, b in zip(before, after, strict=True)])
