"""The colours of the video: those that browsers show right.

Primaries and transfer function are those of sRGB, the matrix is the one of JPEG, whose numbers so need no conversion
but for their range. The tags are those that the stream itself carries.
"""

from fractions import Fraction

from av import VideoFormat, VideoFrame
from av.filter import Graph
from av.video.reformatter import ColorRange

from animoto.h264.parameter_sets import MATRIX, PRIMARIES, TRANSFER

# By tables: libswscale cuts the fractions of colour off, which is seen as a shift of up to two levels.
_COLOUR = "round(128+(val-128)*224/255)"
_STEPS = (
    ("scale", "in_range=full:out_range=full"),  # a copy: to call the format yuv420p would else convert the range
    ("format", "yuv420p"),
    ("lutyuv", f"y=round(16+val*219/255):u={_COLOUR}:v={_COLOUR}"),
    ("buffersink", None),
)


class Limiter:
    """Brings frames of one size (4:2:0, full range) into limited range, rounded right and tagged; for any thread.

    To build its tables takes as long as to convert seven frames of 1920x1080, and fresh memory as long as to fill it:
    so both are kept.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._idle: list[Graph] = []

    def to_limited_range(self, full: VideoFrame) -> VideoFrame:
        try:
            graph = self._idle.pop()
        except IndexError:
            graph = self._build()
        graph.vpush(full)
        frame = graph.vpull()
        self._idle.append(graph)
        frame.color_range = ColorRange.MPEG
        frame.colorspace = MATRIX
        frame.color_primaries = PRIMARIES
        frame.color_trc = TRANSFER
        return frame

    def _build(self) -> Graph:
        graph = Graph()
        graph.threads = 1
        width, height = self._size
        last = graph.add_buffer(width=width, height=height, format=VideoFormat("yuvj420p"), time_base=Fraction(1))
        for name, arguments in _STEPS:
            step = graph.add(name, arguments)
            last.link_to(step)
            last = step
        graph.configure()
        return graph
