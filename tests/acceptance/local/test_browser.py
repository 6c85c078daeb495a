"""The videos as a browser shows them: opened from a server on loopback by headless Chromium."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from av import VideoFrame

from animoto.canvas import Canvas
from animoto.pictures import frame_of
from animoto.render import render
from animoto.video import Transition, VideoSpec
from tests.support.data.pixels import Rgb, encoded, near, stripes
from tests.support.servers.browser import PROGRAM, watch

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here")

PICTURES, FPS = 60, 30
PLACES = ((320, 540), (960, 540), (1600, 540))
"""In the middle of each stripe."""
PARTS = {7: Fraction(0), 18: Fraction(1, 4), 22: Fraction(1, 2)}
"""How much of the next picture is in a frame of a picture's second, where it fades: 15 frames from the 15th on."""


def both(levels: range, limited: int) -> list[int]:
    """The levels of a picture's range that fall on levels of a video's, so that nothing is lost between them."""
    return [level for level in levels if abs(level * limited / 255 - round(level * limited / 255)) < 0.06]


BRIGHTNESS, COLOUR = both(range(80, 171), 219), both(range(-41, 42), 224)


def colours(number: int) -> list[Rgb]:
    """The stripes of a picture: every picture has others."""
    return [
        _rgb(
            BRIGHTNESS[(number * 5 + stripe) % len(BRIGHTNESS)],
            COLOUR[(number * 2 + stripe * 3) % len(COLOUR)],
            COLOUR[(number * 3 + stripe) % len(COLOUR)],
        )
        for stripe in range(len(PLACES))
    ]


def _rgb(brightness: int, blue: int, red: int) -> Rgb:
    """By JPEG's equations. https://www.w3.org/Graphics/JPEG/jfif3.pdf."""
    green = brightness - 0.344136 * blue - 0.714136 * red
    return round(brightness + 1.402 * red), round(green), round(brightness + 1.772 * blue)


def pictures() -> Iterator[VideoFrame]:
    for number in range(PICTURES):
        yield frame_of(encoded(stripes(1920, 1080, *colours(number)), "JPEG", quality=95), Canvas())


def middle(number: int, frame: int) -> float:
    """A time within this frame of a picture's second [s]."""
    return number + (frame + 0.5) / FPS


def mixed(number: int, part: Fraction) -> list[Rgb]:
    """The stripes of a picture on its way to the next."""
    pairs = zip(colours(number), colours(number + 1), strict=True)
    return [(_mix(a[0], b[0], part), _mix(a[1], b[1], part), _mix(a[2], b[2], part)) for a, b in pairs]


def _mix(before: int, after: int, part: Fraction) -> int:
    return round(before + (after - before) * part)


@pytest.mark.parametrize("transition", Transition)
def test_a_browser_plays_the_video(tmp_path: Path, transition: Transition) -> None:
    """It plays, is as long and as large as it should be, and shows the pictures' colours, in holds and amid fades."""
    video = tmp_path / "video.mp4"
    render(pictures(), VideoSpec(transition=transition), video)
    asked = [(number, frame) for number in (0, 5, 9, 10, 31, 58) for frame in PARTS]
    seen = watch(video, tmp_path, [middle(number, frame) for number, frame in asked], PLACES)
    assert abs(seen.duration_s - PICTURES) <= 0.04
    assert (seen.width, seen.height) == (1920, 1080)
    assert seen.played_s >= 1.2
    for (number, frame), shown in zip(asked, seen.colours, strict=True):
        meant = mixed(number, PARTS[frame] if transition is Transition.FADE else Fraction(0))
        assert all(map(near, shown, meant)), (number, frame, shown, meant)
