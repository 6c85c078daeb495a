"""Numbers over time as a line of bars."""

from cli.terminal.sparkline import sparkline
from cli.terminal.style import _ASCII, has_unicode


def test_bars_are_as_high_as_their_share_of_the_most() -> None:
    """The most has a full bar, half of it half a bar, and nothing no bar."""
    assert sparkline([0, 1, 4, 8]) == " ▁▄█"


def test_what_is_little_is_seen() -> None:
    """A moment in which something happened is never blank, however much happened at others."""
    assert sparkline([1, 1_000_000]) == "▁█"


def test_many_values_fit_into_the_columns() -> None:
    """Of more values than columns each bar is the mean of several, and no value is left out."""
    bars = sparkline([float(at) for at in range(1_000)], 40)
    assert len(bars) == 40
    assert list(bars) == sorted(bars, key=" ▁▂▃▄▅▆▇█".index)
    assert sparkline([0.0] * 999 + [5.0], 40) == " " * 39 + "█"


def test_nothing_makes_no_line() -> None:
    """Where there are no values, or all are 0, nothing is drawn."""
    assert sparkline([]) == ""
    assert sparkline([0.0, 0.0]) == "  "


def test_bars_have_signs_for_every_terminal() -> None:
    """In the locale C each bar has another sign, and higher bars have heavier ones."""
    assert not has_unicode({"LANG": "C"}, "utf-8")
    told = "▁▂▃▄▅▆▇█".translate(_ASCII)
    assert told.isascii()
    assert len(set(told)) == 8
