import pytest
from hypothesis import given
from hypothesis import strategies as st

from animoto.canvas import Canvas
from animoto.picture.letterbox import Box, cover, letterbox

SIDES = st.integers(1, 70_000)
EVEN = st.integers(1, 4_000).map(lambda half: 2 * half)


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [
        (1920, 1080, Box(0, 0, 1920, 1080)),
        (3840, 2160, Box(0, 0, 1920, 1080)),
        (1366, 768, Box(0, 0, 1920, 1080)),
        (16, 9, Box(0, 0, 1920, 1080)),
        (1600, 1200, Box(240, 0, 1440, 1080)),
        (1080, 1920, Box(656, 0, 608, 1080)),
        (1000, 1000, Box(420, 0, 1080, 1080)),
        (4000, 1000, Box(0, 300, 1920, 480)),
        (70_000, 1, Box(0, 538, 1920, 2)),
    ],
)
def test_a_picture_is_centred_and_as_large_as_it_can_be(width: int, height: int, box: Box) -> None:
    """A picture lies in the middle, as large as it can be."""
    assert letterbox(width, height, 1920, 1080) == box


@given(SIDES, SIDES, EVEN, EVEN)
def test_a_box_is_even_and_keeps_the_proportions(width: int, height: int, frame_width: int, frame_height: int) -> None:
    """A box is even, lies within the frame, touches two of its sides, and keeps the proportions to a pixel."""
    box = letterbox(width, height, frame_width, frame_height)
    assert not any(number % 2 for number in (box.x, box.y, box.width, box.height))
    assert 0 <= box.x <= frame_width - box.width
    assert 0 <= box.y <= frame_height - box.height
    assert box.width == frame_width or box.height == frame_height
    scale = min(frame_width / width, frame_height / height)
    assert box.width == pytest.approx(max(2, width * scale), abs=1.001)
    assert box.height == pytest.approx(max(2, height * scale), abs=1.001)


@given(SIDES, SIDES, EVEN, EVEN)
def test_a_cover_leaves_nothing_of_the_frame_bare(width: int, height: int, frame_width: int, frame_height: int) -> None:
    """What covers a frame leaves nothing of it, and touches two of its sides."""
    wide, high = cover(width, height, frame_width, frame_height)
    assert wide >= frame_width
    assert high >= frame_height
    assert wide == frame_width or high == frame_height


@pytest.mark.parametrize(("width", "height"), [(0, 2), (3, 2), (2, 1), (-2, 2)])
def test_a_frame_has_even_sides(width: int, height: int) -> None:
    """A frame has even sides."""
    with pytest.raises(ValueError, match="even sides"):
        Canvas(width, height)
