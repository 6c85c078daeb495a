"""Draws invented landscapes from a number, for trying videos out. Each shows its caption."""

import io
import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 1920, 1080
_RIDGES = 6
_WAVES = 5
_STEP = 8
"""Pixels from one point of a ridge to the next."""
_GRAIN = 11
"""How far noise moves a level, at most: a photograph's JPEG is large for its grain."""


def landscape(number: int, caption: str, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Draw ridges under a low sun, in colours that change with the number, and the caption over them."""
    dice = random.Random(number)
    image = _draw_sky(number, width, height)
    _draw_sun(image, dice)
    for ridge in range(_RIDGES):
        _draw_ridge(image, dice, number, (ridge + 1) / _RIDGES)
    image = _add_grain(image, dice)
    _write_caption(image, caption)
    return image


def landscape_jpeg(number: int, caption: str) -> bytes:
    """A landscape as a camera would keep it: about half a megabyte."""
    file = io.BytesIO()
    landscape(number, caption).save(file, "JPEG", quality=88, subsampling="4:2:0")
    return file.getvalue()


def _draw_sky(number: int, width: int, height: int) -> Image.Image:
    down = Image.linear_gradient("L")
    bands = (down.point(lambda v: (150 + 23 * number + v // 4) % 256), down.point(lambda v: 190 - v // 2))
    return Image.merge("HSV", (*bands, down.point(lambda v: 120 + v // 2))).convert("RGB").resize((width, height))


def _draw_sun(image: Image.Image, dice: random.Random) -> None:
    width, height = image.size
    x, y, radius = dice.uniform(0.15, 0.85) * width, dice.uniform(0.2, 0.45) * height, height / 14
    glow = Image.new("L", (width // 8, height // 8))
    ImageDraw.Draw(glow).circle((x / 8, y / 8), radius / 4, 150)
    glow = glow.filter(ImageFilter.GaussianBlur(height / 120)).resize(image.size, Image.Resampling.BICUBIC)
    image.paste((255, 236, 200), mask=glow)
    ImageDraw.Draw(image).circle((x, y), radius, (255, 247, 226))


def _draw_ridge(image: Image.Image, dice: random.Random, number: int, nearness: float) -> None:
    """One ridge; the nearer, the lower, the darker and the rougher."""
    width, height = image.size
    waves = [(dice.uniform(1, 3) * 2**k, dice.uniform(0, math.tau), 0.5**k) for k in range(_WAVES)]
    foot = height * (0.36 + 0.5 * nearness)
    points = [
        (x, foot - height * 0.07 * sum(a * math.sin(f * x / width * math.tau + p) for f, p, a in waves))
        for x in range(0, width + _STEP, _STEP)
    ]
    hue = (150 + 23 * number + 30 + int(50 * nearness)) % 256
    colour = Image.new("HSV", (1, 1), (hue, 110 + int(60 * nearness), int(190 - 150 * nearness))).convert("RGB")
    [ink] = colour.get_flattened_data()
    ImageDraw.Draw(image).polygon([*points, (width, height), (0, height)], ink)


def _add_grain(image: Image.Image, dice: random.Random) -> Image.Image:
    noise = Image.frombytes("L", image.size, dice.randbytes(image.width * image.height))
    grain = noise.filter(ImageFilter.GaussianBlur(0.6)).point(lambda v: 128 + (v - 128) * _GRAIN // 64)
    return ImageChops.add(image, Image.merge("RGB", [grain] * 3), offset=-128)


def _write_caption(image: Image.Image, caption: str) -> None:
    width, height = image.size
    font = ImageFont.load_default(height / 4)
    place = (width / 2, height * 0.52)
    ImageDraw.Draw(image).text(place, caption, "white", font, "mm", stroke_width=height // 150, stroke_fill="#202030")
