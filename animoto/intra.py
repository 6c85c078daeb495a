"""Encode one picture by itself: what it becomes depends on nothing but its pixels, whichever thread does it."""

from fractions import Fraction

from av import VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from animoto.slices import IntraPicture

_X264 = {
    "profile": "main",
    "preset": "ultrafast",
    # One thread: more would cut the picture into slices. No look at frames to come: there are none.
    "x264-params": "threads=1:sliced-threads=0:keyint=1:bframes=0:rc-lookahead=0:sync-lookahead=0:cabac=0",
}


def encode_intra(frame: VideoFrame, qp: int) -> IntraPicture:
    """Encode a frame (yuv420p, limited range) with a fixed quantiser: a rate factor would depend on durations."""
    encoder = VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.thread_count = 1
    encoder.options = {**_X264, "qp": str(qp)}
    frame.pts, frame.pict_type = 0, PictureType.NONE
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return IntraPicture.parse(b"".join(map(bytes, packets)))
