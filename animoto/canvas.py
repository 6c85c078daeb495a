"""Puts pictures into frames: turned upright, whole, on black or on a blurred copy of themselves."""

from dataclasses import dataclass, field
from fractions import Fraction

from av import VideoFrame
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.reformatter import ColorRange, Colorspace

from animoto.picture.colour import Limiter
from animoto.picture.letterbox import Background, Box, cover, letterbox
from animoto.picture.orientation import Orientation

_FORMAT = "yuvj420p"
"""Full range, as in JPEG, until the last step."""
_SCALE = "flags=bicubic:in_range=full:out_range=full:in_color_matrix=smpte170m:out_color_matrix=smpte170m"
_BLUR_FACTOR = 40
"""The copy is made smaller by this factor and then large again, which blurs it."""
_TURNS: dict[Orientation, tuple[tuple[str, str], ...]] = {
    Orientation.UPRIGHT: (),
    Orientation.MIRRORED: (("hflip", ""),),
    Orientation.TURNED_180: (("hflip", ""), ("vflip", "")),
    Orientation.FLIPPED: (("vflip", ""),),
    Orientation.TRANSPOSED: (("transpose", "cclock_flip"),),
    Orientation.TURNED_LEFT: (("transpose", "clock"),),
    Orientation.TRANSVERSED: (("transpose", "clock_flip"),),
    Orientation.TURNED_RIGHT: (("transpose", "cclock"),),
}


@dataclass(frozen=True, slots=True)
class Canvas:
    """The frames of a video; both sides are even."""

    width: int = 1920
    height: int = 1080
    background: Background = Background.BLUR
    _limiter: Limiter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 2 or self.width % 2 or self.height % 2:
            raise ValueError(f"a frame has even sides, not {self.width}x{self.height}")
        object.__setattr__(self, "_limiter", Limiter(self.width, self.height))

    def place(self, picture: VideoFrame, turn: Orientation = Orientation.UPRIGHT) -> VideoFrame:
        """The picture as a frame of the video: yuv420p, limited range, tagged. Opaque pictures in full range only."""
        sides = (picture.height, picture.width) if turn.swaps_sides else (picture.width, picture.height)
        box = letterbox(*sides, self.width, self.height)
        if turn is Orientation.UPRIGHT and self._is_filled_by(box):
            return self._limiter.to_limited_range(self._scale(picture))
        return self._limiter.to_limited_range(self._compose(picture, turn, box))

    def _scale(self, picture: VideoFrame) -> VideoFrame:
        """Scale a picture that fills the frame; one of the frame's size stays as it is."""
        return picture.reformat(
            width=self.width,
            height=self.height,
            format=_FORMAT,
            interpolation="BICUBIC",
            src_colorspace=Colorspace.SMPTE170M,
            dst_colorspace=Colorspace.SMPTE170M,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )

    def _compose(self, picture: VideoFrame, turn: Orientation, box: Box) -> VideoFrame:
        graph = Graph()
        graph.threads = 1
        source = graph.add_buffer(
            width=picture.width, height=picture.height, format=picture.format, time_base=Fraction(1)
        )
        stored = (box.height, box.width) if turn.swaps_sides else (box.width, box.height)
        steps = [("scale", f"{stored[0]}:{stored[1]}:{_SCALE}"), ("format", _FORMAT), *_TURNS[turn]]
        whole = _chain(graph, source, steps)
        plain = self.background is Background.BLACK or self._is_filled_by(box)
        placed = self._place_on_black(graph, whole, box) if plain else self._place_on_blur(graph, whole, box)
        placed.link_to(graph.add("buffersink"))
        graph.configure()
        graph.vpush(picture)
        return graph.vpull()

    def _is_filled_by(self, box: Box) -> bool:
        return (box.width, box.height) == (self.width, self.height)

    def _place_on_black(self, graph: Graph, whole: FilterContext, box: Box) -> FilterContext:
        return _chain(graph, whole, [("pad", f"{self.width}:{self.height}:{box.x}:{box.y}:black")])

    def _place_on_blur(self, graph: Graph, whole: FilterContext, box: Box) -> FilterContext:
        split = _chain(graph, whole, [("split", "2")])
        small = [2 * max(1, round(side / _BLUR_FACTOR / 2)) for side in (self.width, self.height)]
        wide, high = cover(box.width, box.height, *small)
        blurred = _chain(
            graph,
            split,
            [
                ("scale", f"{wide}:{high}:flags=area"),
                ("crop", f"{small[0]}:{small[1]}"),
                ("scale", f"{self.width}:{self.height}:flags=bicubic:param0=1:param1=0"),
            ],
        )
        overlay = graph.add("overlay", f"{box.x}:{box.y}")
        blurred.link_to(overlay, 0, 0)
        split.link_to(overlay, 1, 1)
        return overlay


def _chain(graph: Graph, first: FilterContext, steps: list[tuple[str, str]]) -> FilterContext:
    for name, arguments in steps:
        step = graph.add(name, arguments or None)
        first.link_to(step)
        first = step
    return first
