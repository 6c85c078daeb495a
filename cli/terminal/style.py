"""Colours and symbols, as far as the terminal has them and the person wants them."""

import os
import sys
from collections.abc import Mapping
from shutil import get_terminal_size

import click

_COLOURS = {
    "green": ("succeeded", "complete", "ok", "working"),
    "red": ("failed", "rejected", "problem", "sick", "silent", "stopped", "killed"),
    "yellow": ("cancelled", "paused", "unknown", "draining"),
    "cyan": ("running", "dispatching"),
    "blue": ("absent",),
}
_COLOUR_OF = {word: colour for colour, words in _COLOURS.items() for word in words}
_ASCII = str.maketrans(
    {"✓": "+", "✗": "x", "µ": "u", "…": "~", "─": "-", "·": "-"} | dict(zip("▁▂▃▄▅▆▇█", "._-~+=*#", strict=True))
)


def coloured(text: str, colour: str | None) -> str:
    """The text in this colour; click takes it away where no terminal reads it."""
    if not text or colour is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, fg=colour)


def coloured_state(text: str) -> str:
    """The name of a state, padded or not, in the state's colour."""
    return coloured(text, _COLOUR_OF.get(text.strip()))


def in_this_locale(text: str) -> str:
    """The text, with other signs for our own symbols where the terminal may not have them."""
    return text if text.isascii() or has_unicode(os.environ, sys.stdout.encoding) else text.translate(_ASCII)


def has_unicode(environ: Mapping[str, str], encoding: str) -> bool:
    """Whether symbols beyond ASCII can be shown: not in the locale C, though Python itself would write them."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    return encoding.lower().startswith("utf") and locale not in ("C", "POSIX")


def is_terminal() -> bool:
    """Whether a person reads stdout; TTY_COMPATIBLE says so for a stand-in, as rich has it."""
    return os.environ.get("TTY_COMPATIBLE") == "1" or sys.stdout.isatty()


def terminal_width() -> int | None:
    """How many columns the reader of stdout has; None where that is a program."""
    return get_terminal_size().columns if is_terminal() else None
