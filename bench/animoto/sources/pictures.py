"""Photos that never were: drawn from their numbers, with the statistics that compressors know from real ones.

Discs and polygons over each other, whose sizes follow a power law (the "dead leaves" of natural images: Lee, Mumford,
Huang, 2001), on a gradient; over them noise of ten octaves of equal strength, which is an amplitude of 1/f, as photos
have it (Field, 1987). How many leaves and how much noise differ from picture to picture, and so does their size: 280
to 760 KB as JPEG of quality 88 with 4:2:0. Each bears its number.

python -m bench.animoto.sources.pictures FOLDER COUNT draws them.
"""

import random
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 1920, 1080
_OCTAVES = 10
Colour = tuple[int, ...]


def draw(number: int, path: Path) -> None:
    """Write the JPEG file of this number: the same bytes, with the same Pillow."""
    dice = random.Random(number)
    palette = [_colour(dice) for _ in range(3)]
    image = _leaves(dice, palette).filter(ImageFilter.GaussianBlur(0.8))
    image = ImageChops.overlay(image, Image.merge("RGB", [_noise(dice)] * 3))
    font, middle = ImageFont.load_default(HEIGHT / 2), (WIDTH / 2, HEIGHT / 2)
    ImageDraw.Draw(image).text(middle, f"{number:02d}", "white", font, "mm", stroke_width=8, stroke_fill="black")
    image.save(path, "JPEG", quality=88, subsampling="4:2:0")


def _colour(dice: random.Random) -> Colour:
    return tuple(dice.randrange(30, 226) for _ in range(3))


def _leaves(dice: random.Random, palette: list[Colour]) -> Image.Image:
    size = (WIDTH, HEIGHT)
    slope = Image.linear_gradient("L").rotate(90 * dice.randrange(4)).resize(size)
    image = Image.composite(Image.new("RGB", size, palette[0]), Image.new("RGB", size, palette[1]), slope)
    pen = ImageDraw.Draw(image)
    for _ in range(dice.randrange(200, 1500)):
        radius = min(400, 8 / (1 - 0.9995 * dice.random()) ** 0.5)  # as many of each size as fill the same area
        x, y = dice.randrange(WIDTH), dice.randrange(HEIGHT)
        fill = tuple(level + dice.randrange(-60, 60) for level in dice.choice(palette))
        if dice.random() < 0.5:
            pen.ellipse((x - radius, y - 0.7 * radius, x + radius, y + 0.7 * radius), _within(fill))
        else:
            pen.regular_polygon((x, y, radius), dice.randrange(3, 7), dice.randrange(360), _within(fill))
    return image


def _within(colour: Colour) -> Colour:
    return tuple(min(255, max(0, level)) for level in colour)


def _noise(dice: random.Random) -> Image.Image:
    noise = Image.new("L", (WIDTH, HEIGHT), 128)
    for octave in range(_OCTAVES):
        wide, high = WIDTH // (512 >> octave) + 2, HEIGHT // (512 >> octave) + 2
        grains = Image.frombytes("L", (wide, high), dice.randbytes(wide * high))
        noise = Image.blend(noise, grains.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), 1 / (octave + 1))
    strength = dice.uniform(0.3, 1.8)
    return noise.point([min(255, max(0, round(128 + (level - 128) * strength))) for level in range(256)])


if __name__ == "__main__":
    for each in range(int(sys.argv[2])):
        draw(each, Path(sys.argv[1]) / f"{each:04d}.jpg")
