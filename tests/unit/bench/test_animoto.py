"""The benchmark of videos: whose results count, and that ours can be made and judged."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.animoto.__main__ import main
from bench.animoto.judging.judge import Claim, Seen, objections
from bench.animoto.sources.pictures import draw

_WHOLE = Seen(
    frames=90,
    duration_s=3.0,
    index_first=True,
    right_pictures=3,
    ssim_y=[0.98, 0.99, 0.98],
    psnr_y=[40.0] * 3,
    decoders_agree=True,
)


def test_what_is_as_it_should_be_counts() -> None:
    """Nothing is said against a video that keeps to every bound, whether or not OpenH264 was there."""
    for agree in (True, None):
        seen = replace(_WHOLE, duration_s=3.039, decoders_agree=agree)
        assert list(objections(seen, 1250, Claim(3, original_bytes=1000))) == []


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (replace(_WHOLE, duration_s=2.95), "2.950 s, not 3"),
        (replace(_WHOLE, frames=89), "89 frames, not 90"),
        (replace(_WHOLE, right_pictures=2), "2 of 3 pictures in their places"),
        (replace(_WHOLE, ssim_y=[0.979] * 3), "SSIM 0.9790 on average, below 0.98"),
        (replace(_WHOLE, ssim_y=[0.999, 0.999, 0.969]), "SSIM 0.9690 at worst, below 0.97"),
        (replace(_WHOLE, index_first=False), "its index comes last"),
        (replace(_WHOLE, decoders_agree=False), "two decoders disagree"),
    ],
)
def test_what_is_not_is_named(seen: Seen, reason: str) -> None:
    """Each fault alone is enough, and is the only thing that is said."""
    assert list(objections(seen, 1000, Claim(3))) == [reason]


def test_files_that_are_too_large_do_not_count() -> None:
    """More than 1.25 times the original's bytes, where there is an original."""
    assert list(objections(_WHOLE, 1251, Claim(3, original_bytes=1000))) == [
        "1.25 times the original's bytes, more than 1.25"
    ]
    assert list(objections(_WHOLE, 1251, Claim(3))) == []


def test_colours_that_a_browser_shows_wrong_do_not_count() -> None:
    """Two levels are rounding; three are another colour."""
    assert list(objections(_WHOLE, 1000, Claim(3, colour_error=2))) == []
    assert list(objections(_WHOLE, 1000, Claim(3, colour_error=3))) == [
        "colours 3 of 255 off in a browser, more than 2"
    ]


def test_a_video_of_nothing_does_not_count() -> None:
    """A file of which nothing can be decoded is objected to, and is no error."""
    nothing = Seen(0, 0.0, index_first=False, right_pictures=0, ssim_y=[], psnr_y=[], decoders_agree=None)
    assert len(list(objections(nothing, 0, Claim(3)))) == 6


def test_a_number_is_a_picture(tmp_path: Path) -> None:
    """The same number gives the same bytes, another one others; no two runs measure other pictures."""
    for name, number in {"one": 7, "again": 7, "other": 8}.items():
        draw(number, tmp_path / name)
    one, again, other = ((tmp_path / name).read_bytes() for name in ("one", "again", "other"))
    assert one == again != other
    assert 200_000 < len(one) < 800_000


def test_ours_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """Two pictures, once, without the peers: a video that counts, from our own server, and what it took."""
    assert main(["--pictures", "2", "--rounds", "1", "--only", "floor", "--only", "fades", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    floor, fades = told["ways"]
    assert (fades["way"], fades["frames"], fades["does_not_count"]) == ("fades", 60, [])
    assert fades["decoders_agree"] is not False
    assert fades["cpu_s"] > fades["startup_cpu_s"] > 0
    assert "frames" not in floor
    assert told["server_cpu_s"] > 0
