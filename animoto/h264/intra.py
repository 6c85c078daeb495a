"""Encodes each picture by itself. Its bytes depend on pixels and on whether its number is odd, not on the thread."""

from fractions import Fraction

from av import VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from animoto.h264.slices import IntraPicture

_TURNS = 2
"""x264 numbers IDR pictures 0, 1, 0, 1, ...: the second number is two bits longer, and shifts all that follows it."""
_X264 = {
    "profile": "main",
    "preset": "ultrafast",
    "tune": "zerolatency",
    # One thread: more would cut the picture into slices. No look at frames to come: there are none. To round what is
    # left of a prediction nearer to the truth than x264 does of itself costs 5% of bytes, and no time; a finer
    # quantiser costs 9% for the same likeness.
    "x264-params": "threads=1:sliced-threads=0:keyint=1:bframes=0:rc-lookahead=0:sync-lookahead=0:cabac=0"
    ":deadzone-intra=4",
}


class IntraEncoder:
    """Encodes frames (yuv420p, limited range, of one size) with a fixed quantiser. Thread-safe.

    A rate factor (crf) would depend on durations. Encoders, about one a thread, are kept until the video ends: opening
    one takes a fifth of the time that a picture takes.
    """

    def __init__(self, qp: int) -> None:
        self._qp = qp
        self._idle: tuple[list[VideoCodecContext], ...] = tuple([] for _ in range(_TURNS))

    def encode(self, frame: VideoFrame, number: int = 0) -> IntraPicture:
        """Encode the video's nth picture; raises ValueError if that is not one IDR picture of one slice."""
        turn = number % _TURNS
        try:
            encoder = self._idle[turn].pop()
        except IndexError:
            encoder = self._open(frame, turn)
        coded = _encode(encoder, frame)
        self._idle[(turn + 1) % _TURNS].append(encoder)
        return IntraPicture.parse(coded)

    def _open(self, frame: VideoFrame, turn: int) -> VideoCodecContext:
        """Open an encoder whose next IDR number is this one; for 1, a first picture is encoded and dropped."""
        encoder = VideoCodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
        encoder.thread_count = 1
        encoder.options = {**_X264, "qp": str(self._qp)}
        for _ in range(turn):
            _encode(encoder, frame)
        return encoder


def _encode(encoder: VideoCodecContext, frame: VideoFrame) -> bytes:
    frame.pts, frame.pict_type = None, PictureType.NONE
    return b"".join(map(bytes, encoder.encode(frame)))
