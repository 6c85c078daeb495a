"""Pictures with known colours, and the colours of a frame of the video as a player shows them."""

import io
from typing import Any

from av import VideoFrame
from PIL import Image

Rgb = tuple[int, int, int]

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
WHITE, BLACK, GREY, SKIN = (255, 255, 255), (0, 0, 0), (128, 128, 128), (200, 150, 120)


def stripes(width: int, height: int, *colours: Rgb) -> Image.Image:
    """A picture of upright stripes, from left to right."""
    image = Image.new("RGB", (width, height))
    for number, colour in enumerate(colours):
        left, right = (width * at // len(colours) for at in (number, number + 1))
        image.paste(colour, (left, 0, right, height))
    return image


def corners(width: int, height: int) -> Image.Image:
    """Red and green above, blue and white below: each way to turn it differs."""
    image = stripes(width, height, RED, GREEN)
    image.paste(stripes(width, height - height // 2, BLUE, WHITE), (0, height // 2))
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def colour(image: Image.Image, x: int, y: int) -> Rgb:
    """The colour at a place of a picture."""
    r, g, b = image.convert("RGB").crop((x, y, x + 1, y + 1)).tobytes()
    return r, g, b


def shown(frame: VideoFrame, x: int, y: int) -> Rgb:
    """The colour at a place, by the equations of BT.601 in limited range."""
    luma = (_at(frame, 0, x, y) - 16) / 219
    blue, red = ((_at(frame, plane, x // 2, y // 2) - 128) / 224 for plane in (1, 2))
    r, b = luma + 1.402 * red, luma + 1.772 * blue
    g = (luma - 0.299 * r - 0.114 * b) / 0.587
    return _level(r), _level(g), _level(b)


def near(seen: Rgb, meant: Rgb, levels: int = 2) -> bool:
    return all(abs(one - other) <= levels for one, other in zip(seen, meant, strict=True))


def _level(value: float) -> int:
    return min(255, max(0, round(255 * value)))


def _at(frame: VideoFrame, plane: int, x: int, y: int) -> int:
    rows = frame.planes[plane]
    return memoryview(rows)[y * rows.line_size + x]
