"""Pan and zoom (the Ken Burns effect): a window moves slowly over the picture."""

from fractions import Fraction

from PIL import Image

_CLOSEST = 1.12
"""How far it zooms, at most."""
_CORNERS = ((0.5, 0.5), (0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
"""Where the window moves to, for one picture after another: the share of the free width and height."""


def zoom(planes: list[Image.Image], number: int, progress: Fraction) -> list[Image.Image]:
    """Draw the nth picture at this share of its time. Every other picture zooms out."""
    nearness = float(progress if number % 2 == 0 else 1 - progress)
    scale = 1 / (1 + (_CLOSEST - 1) * nearness)
    right, down = _CORNERS[number % len(_CORNERS)]
    window = [_window(plane.width, plane.height, scale, right, down) for plane in planes]
    return [plane.resize(plane.size, Image.Resampling.BICUBIC, box) for plane, box in zip(planes, window, strict=True)]


def _window(width: int, height: int, scale: float, right: float, down: float) -> tuple[float, float, float, float]:
    left, top = width * (1 - scale) * right, height * (1 - scale) * down
    return (left, top, left + width * scale, top + height * scale)
