"""Colours and symbols, where they are wanted."""

from collections.abc import Mapping

import click
import pytest

from cli.terminal.style import coloured, coloured_state, has_unicode, in_this_locale


@pytest.mark.parametrize(
    ("environ", "encoding", "shown"),
    [
        ({"LANG": "de_DE.UTF-8"}, "utf-8", True),
        ({}, "utf-8", True),
        ({"LANG": "C"}, "utf-8", False),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "utf-8", False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, "utf-8", True),
        ({"LANG": "de_DE.ISO-8859-1"}, "iso8859-1", False),
    ],
)
def test_symbols_are_shown_where_locale_and_encoding_have_them(
    environ: Mapping[str, str], encoding: str, *, shown: bool
) -> None:
    """The locale C has none, even if Python could write them."""
    assert has_unicode(environ, encoding) is shown


def test_symbols_have_a_substitute_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person reads in the locale C is all ASCII, but for what is theirs."""
    monkeypatch.setenv("LC_ALL", "C")
    assert in_this_locale("✓ 3 tasks in 444 µs ─ Grüße") == "+ 3 tasks in 444 us - Grüße"


def test_colours_can_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR and a dumb terminal have none; a state has its own, however it is padded."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert coloured_state("failed   ") == click.style("failed   ", fg="red")
    monkeypatch.setenv("NO_COLOR", "1")
    assert coloured("failed", "red") == "failed"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert coloured("failed", "red") == "failed"
