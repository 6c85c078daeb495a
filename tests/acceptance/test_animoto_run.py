"""The benchmark of videos through everything, made small: what it proves of each video holds, and it can tell."""

from pathlib import Path

import pytest

from animoto.canvas import Canvas
from animoto.landscapes import landscape_jpeg
from animoto.pictures import frame_of
from animoto.render import render
from animoto.video import Transition, VideoSpec
from bench.album import Album, read_number
from bench.animoto_run import Asked, check, measure
from cloudkon.clock import SystemClock
from tests.support.worlds.embedded_aws import EmbeddedAws


def test_every_picture_is_in_its_place(embedded_cloud: EmbeddedAws, tmp_path: Path) -> None:
    """Two workers make four videos, by four links, each of its own pictures in their order, fetched once each."""
    figures = measure(Asked(videos=4, pictures=6), tmp_path, embedded_cloud.environment, SystemClock())
    assert (figures["links"], figures["frames"], figures["downloads"]) == (4, 4 * 6 * 30, 4 * 6)


def test_numbers_are_read_from_pictures() -> None:
    """A picture's number is read from what is decoded of it, whatever the landscape below it."""
    album = Album(2)
    numbers = (0, 1, 9_599, 0xFFFF)
    assert [read_number(frame_of(album.picture(str(number)), Canvas())) for number in numbers] == list(numbers)
    assert len(album.handed_out) == 4


def test_other_pictures_have_no_number() -> None:
    """A picture without the strip is not mistaken for one that has it."""
    with pytest.raises(ValueError, match="no number"):
        read_number(frame_of(landscape_jpeg(1, "1"), Canvas()))


@pytest.mark.parametrize("transition", Transition)
@pytest.mark.parametrize("shown", [(0, 2, 1), (0, 1), (0, 1, 1), (0, 1, 2, 3)], ids=str)
def test_what_is_wrong_is_seen(tmp_path: Path, transition: Transition, shown: tuple[int, ...]) -> None:
    """A video with pictures that are missing, doubled, too many or in another order does not pass."""
    album, video = Album(1), tmp_path / "video.mp4"
    pictures = {number: frame_of(album.picture(str(number)), Canvas()) for number in set(shown)}
    render((pictures[number] for number in shown), VideoSpec(transition=transition), video)
    assert check(video, shown) == 30 * len(shown)
    with pytest.raises(AssertionError, match="are shown as"):
        check(video, (0, 1, 2))
