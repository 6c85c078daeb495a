"""A line of the shell with places: each value is put between single quotes of its own, so that it is never shell text.

    echo {}            echo 'a value'
    echo "$HOME/{}"    echo "$HOME/"'a value'""     within quotes, these are closed before it and opened after it

Where it can't be told how the shell will read a value, a place is refused: after a backtick, within "$(...)", ...
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloudkon.workload.templates.errors import TemplateError
from cloudkon.workload.templates.places import Place, PlaceFinder

_VARIABLE = re.compile(r"\$\{\w+\}|\$\w")
# What makes all that follows unreadable here, and how it is called.
_UNREADABLE_PLAIN = {
    "`": "a backtick: write $(...)",
    "$'": "$'...': write it in other quotes",
    '$"': '$"...": write it without the $',
    "$((": "$((...)): set a variable first (n={}; echo $((n + 1)))",
    "((": "((...)): set a variable first (n={}; ...)",
    "$[": "$[...]: set a variable first (n={}; ...)",
    "<<": "<<: write printf or echo",
}
_UNREADABLE_DOUBLE = {
    "`": "a backtick within quotes",
    "$": '$(...) or ${...} within quotes: set a variable first (x={}; echo "$(basename "$x")")',
}


@dataclass(frozen=True, slots=True)
class QuotedPlace:
    """A place, and the kind of quotes that it stands within; empty for none."""

    place: Place
    quote: str

    def written(self, value: str) -> str:
        """The value as it has to be written here."""
        return f"{self.quote}{quoted(value)}{self.quote}"


def quoted(value: str) -> str:
    """The value between single quotes, whatever it is: a bare word could be a keyword, or an assignment."""
    return "'" + value.replace("'", "'\"'\"'") + "'"


def shell_parts(text: str, finder: PlaceFinder) -> Sequence[str | QuotedPlace]:
    """The texts and places of a line of the shell; raise TemplateError for a place that no value can be quoted for."""
    scanner = _Scanner()
    return list(_parts(scanner, finder.split(text)))


def _parts(scanner: "_Scanner", parts: Iterator[str | Place]) -> Iterator[str | QuotedPlace]:
    for part in parts:
        if isinstance(part, str):
            scanner.read(part)
            yield part
            continue
        if scanner.unreadable is not None:
            raise TemplateError(f"{part.text} stands where no value can be quoted, after {scanner.unreadable}")
        scanner.read_value()
        yield QuotedPlace(part, scanner.quote)


class _Scanner:
    """Reads the text of a line of the shell, and knows within which quotes it is."""

    def __init__(self) -> None:
        self.quote = ""
        self.unreadable: str | None = None
        self._before = " "

    def read(self, text: str) -> None:
        at = 0
        while at < len(text) and self.unreadable is None:
            at += self._step(text, at)

    def read_value(self) -> None:
        """A value is a part of a word."""
        self._before = "x"

    def _step(self, text: str, at: int) -> int:
        """Read what is at this place; return how many characters that were."""
        character = text[at]
        if self.quote == "'":
            self.quote = "" if character == "'" else "'"
            self._before = character
            return 1
        if character == "\\":
            self._before = "x"
            return 2
        if found := _VARIABLE.match(text, at):
            self._before = "x"
            return len(found[0])
        if self.quote == '"':
            self._in_double(character, text[at : at + 2])
        else:
            self._in_plain(character, text[at : at + 3])
        self._before = character
        return 1

    def _in_double(self, character: str, following: str) -> None:
        if character == '"':
            self.quote = ""
        elif character == "`" or following in {"$(", "${", "$["}:
            self.unreadable = _UNREADABLE_DOUBLE[character]

    def _in_plain(self, character: str, following: str) -> None:
        for unreadable, told in _UNREADABLE_PLAIN.items():
            if following.startswith(unreadable) and following != "<<<":
                self.unreadable = told
                return
        if character == "#" and self._before in " \t\n;&|()":
            self.unreadable = "#, which begins a comment"
        elif character in "'\"":
            self.quote = character
