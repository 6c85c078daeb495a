"""Contact sheets: which pictures they show, and where."""

import io

import pytest
from PIL import Image

from animoto.canvas import Canvas
from animoto.picture.contact_sheet import ContactSheet
from animoto.pictures import frame_of
from tests.support.data.pixels import BLACK, SKIN, colour, encoded, near, stripes


def sheet(pictures: int, expected: int | None = None) -> Image.Image:
    """Of pictures each of which is lighter than the one before."""
    made, canvas = ContactSheet(expected or pictures), Canvas(64, 36)
    for number in range(pictures):
        made.add(frame_of(encoded(stripes(64, 36, grey(number))), canvas))
    return Image.open(io.BytesIO(made.jpeg()))


def grey(number: int) -> tuple[int, int, int]:
    return (8 * number, 8 * number, 8 * number)


@pytest.mark.parametrize(
    ("pictures", "columns", "rows"), [(1, 1, 1), (3, 3, 1), (4, 4, 1), (5, 4, 2), (12, 4, 3), (13, 4, 2), (24, 4, 3)]
)
def test_pictures_stand_in_rows_in_their_order(pictures: int, columns: int, rows: int) -> None:
    """Up to twelve are all there; of more, every so-manieth is; what is left of the last row is black."""
    made, every = sheet(pictures), -(-pictures // 12)
    assert made.size == (320 * columns, 180 * rows)
    seen = [
        colour(made, 320 * (place % columns) + 160, 180 * (place // columns) + 90) for place in range(columns * rows)
    ]
    shown = [grey(number) for number in range(0, pictures, every)]
    meant = shown + [BLACK] * (columns * rows - len(shown))
    assert all(near(one, other, 3) for one, other in zip(seen, meant, strict=True))


def test_fewer_than_were_expected() -> None:
    """A sheet of the pictures that were not skipped has the first of them."""
    assert sheet(1, expected=60).size == (320, 180)


def test_a_small_copy_has_the_colours_of_the_picture() -> None:
    """A small copy has the colours of the picture."""
    made = ContactSheet(1)
    made.add(frame_of(encoded(stripes(64, 36, SKIN)), Canvas(64, 36)))
    assert near(colour(Image.open(io.BytesIO(made.jpeg())), 160, 90), SKIN, 5)
