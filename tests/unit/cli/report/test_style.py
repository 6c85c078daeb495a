"""The page's colours can be told from their grounds, in light and in dark."""

import re
from importlib.resources import files

import pytest

STYLE = (files("cli.report") / "page" / "report.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in STYLE.split("@media print")[0].split("@media", 1)
)
TEXT, PICTURE = 4.5, 3.0
"""https://www.w3.org/TR/WCAG22/#contrast-minimum and #non-text-contrast."""


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' luminances, as WCAG defines it."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(colours: dict[str, str]) -> None:
    """Every colour of text has the contrast that WCAG asks of text, on each ground that it stands on."""
    for text, ground in (
        *((text, ground) for text in ("ink", "soft", "blue") for ground in ("ground", "raised")),
        *(("ink", ground) for ground in ("warn-ground", "good-ground", "bad-ground")),
        *(("amber", "warn-ground"), ("good", "good-ground"), ("red", "bad-ground")),
    ):
        assert contrast(colours[text], colours[ground]) >= TEXT, (text, ground)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_shapes_can_be_told_from_their_ground(colours: dict[str, str]) -> None:
    """Bars, boxes, marks and outlines have the contrast that WCAG asks of pictures."""
    for shape in ("blue", "red", "amber", "ink"):
        assert contrast(colours[shape], colours["raised"]) >= PICTURE, shape
    assert contrast(colours["focus"], colours["ground"]) >= PICTURE


def test_print_is_as_legible_as_the_screen() -> None:
    """On paper the colours are those of the light page, on white."""
    printed = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", STYLE.split("@media print")[1]))
    assert printed["ground"] == "#ffffff"
    assert all(printed[name] == LIGHT[name] for name in ("blue", "red", "amber", "pale", "idle"))
