"""Text of anybody's making, on its way to a terminal or a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.printable import one_line, printable


@given(st.text(), st.none() | st.integers(1, 50))
def test_what_is_shown_is_printable_and_one_line(text: str, most: int | None) -> None:
    """Whatever somebody wrote, nothing of it moves a cursor, changes a title, or turns a line around."""
    assert printable(text).isprintable()
    assert len(printable(text)) == len(text)
    shown = one_line(text, most)
    assert shown.isprintable()
    assert most is None or len(shown) <= most + 4


@pytest.mark.parametrize(
    "character", ["\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\u200f", "\u061c", "\x00", "\ud800", "\u2028"]
)
def test_controls_are_replaced(character: str) -> None:
    """Each control character stands as U+FFFD, or as a blank if it breaks the line."""
    assert one_line(f"a{character}b") in ("a\ufffdb", "a b")


def test_plain_text_stays_as_it_is() -> None:
    """Letters of any alphabet are shown, blanks are put together, and what is long is cut off."""
    assert one_line("größe  \n 🚀 ok") == "größe 🚀 ok"
    assert one_line("x" * 300) == "x" * 200 + " ..."
