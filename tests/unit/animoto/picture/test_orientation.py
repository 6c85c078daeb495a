import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from animoto.picture.orientation import Orientation, read_orientation


def exif(turn: int, order: str = "<") -> bytes:
    made = Image.Exif()
    made.endian = order
    made[0x010F] = "a camera"
    made[0x0112] = turn
    return made.tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("turn", Orientation)
def test_the_tag_is_found_in_both_byte_orders(turn: Orientation, order: str) -> None:
    """The tag is found in both byte orders, with and without JPEG's prefix."""
    block = exif(turn, order)
    assert read_orientation(block) is turn
    assert read_orientation(block.removeprefix(b"Exif\0\0")) is turn


@pytest.mark.parametrize("turn", [0, 9, 65_535])
def test_an_unknown_orientation_means_upright(turn: int) -> None:
    """A number that is none of the eight ways means nothing."""
    assert read_orientation(exif(turn)) is Orientation.UPRIGHT


@given(st.integers(0, 100), st.binary(max_size=20))
def test_damaged_exif_is_never_an_error(at: int, noise: bytes) -> None:
    """Damaged EXIF is upright, or turned, and never an error."""
    block = exif(6)
    assert read_orientation(block[:at]) in Orientation
    assert read_orientation(block[:at] + noise + block[at + len(noise) :]) in Orientation
    assert read_orientation(noise) is Orientation.UPRIGHT


def test_four_of_eight_orientations_swap_the_sides() -> None:
    """Four of the eight ways make a portrait of a landscape."""
    assert [turn.swaps_sides for turn in Orientation] == [False] * 4 + [True] * 4
