"""Pan and zoom, the effect that is named for Ken Burns: a window moves slowly over the picture."""

from fractions import Fraction

from PIL import Image

_CLOSEST = 1.12
"""How far it zooms, at most."""
_CORNERS = ((0.5, 0.5), (0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
"""Where it moves to, a picture after another: how far right and down, of the room there is."""


def zoomed(planes: list[Image.Image], number: int, progress: Fraction) -> list[Image.Image]:
    """A picture (the nth of the video) as it stands at this part of its time: every other one zooms out."""
    nearness = float(progress if number % 2 == 0 else 1 - progress)
    scale = 1 / (1 + (_CLOSEST - 1) * nearness)
    right, down = _CORNERS[number % len(_CORNERS)]
    window = [_window(plane.width, plane.height, scale, right, down) for plane in planes]
    return [plane.resize(plane.size, Image.Resampling.BICUBIC, box) for plane, box in zip(planes, window, strict=True)]


def _window(width: int, height: int, scale: float, right: float, down: float) -> tuple[float, float, float, float]:
    left, top = width * (1 - scale) * right, height * (1 - scale) * down
    return (left, top, left + width * scale, top + height * scale)
