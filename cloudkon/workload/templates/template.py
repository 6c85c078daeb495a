"""A template: a line of the workload with places, compiled once, and filled in for each row."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cloudkon.workload.task_line import MAX_LINE_BYTES
from cloudkon.workload.templates.errors import RowError, TemplateError
from cloudkon.workload.templates.places import Place, PlaceFinder, Row, text_of
from cloudkon.workload.templates.shell_text import QuotedPlace, shell_parts

SHELL = "shell"
MAX_TEMPLATE_CHARACTERS = 4_096
_PLAIN_WORD = re.compile(r"[!#-&(-\[\]-~]+")
"""Printable ASCII without blanks, quotes and backslashes."""
_BARE_WORD = re.compile(r"[^\s\"'\\]+")


class Template(Protocol):
    """Makes a task of each row."""

    @property
    def places(self) -> Sequence[Place]: ...

    def filled(self, row: Row, number: int) -> str:
        """The line of the task; raise RowError for a row that has not what a place asks for."""
        ...


def compiled(text: str, finder: PlaceFinder) -> Template:
    """Read a template, a task's line with places; raise TemplateError with the reason and the place."""
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        raise TemplateError(f"it has {len(text):,} characters; the most is {MAX_TEMPLATE_CHARACTERS:,}")
    if "\0" in text:
        raise TemplateError("it holds a null character")
    words = _words(text)
    if not words or not words[0] or words[0].startswith(("#", "{")):
        raise TemplateError("the name of a task comes first, such as shell, exec, or one of your own")
    template = _shell(text, words, finder) if words[0] == SHELL else _of_words(words, finder)
    if not template.places:
        raise TemplateError(f"it has no place for the value: put {{}} where that goes in {shortened(text)}")
    return template


def compiled_words(words: Sequence[str], finder: PlaceFinder) -> Template:
    """The same of words that a shell has split already; the first is the task's name."""
    return compiled(" ".join(map(shlex.quote, words)), finder)


def shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}..."


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise TemplateError(f"{str(error).rstrip('.').lower()}: {shortened(text)}") from error


def _of_words(words: Sequence[str], finder: PlaceFinder) -> "WordsTemplate":
    split: list[tuple[str | Place, ...]] = [tuple(finder.split(word)) or ("",) for word in words[1:]]
    return WordsTemplate(words[0], split, list(_pieces(words[0], split)))


def _pieces(name: str, words: Sequence[tuple[str | Place, ...]]) -> Iterator[str | Place]:
    beside_places = [part for word in words if len(word) > 1 for part in word if isinstance(part, str)]
    if not all(map(_is_bare, [name, *beside_places])):
        return
    yield name
    for word in words:
        yield " "
        yield from word if len(word) > 1 or isinstance(word[0], Place) else (_word(word[0]),)


def _is_bare(value: Any) -> bool:
    """Whether a text is a word of a line as it is."""
    return isinstance(value, str) and _PLAIN_WORD.fullmatch(value) is not None


def _shell(text: str, words: Sequence[str], finder: PlaceFinder) -> "ShellTemplate":
    """One quoted word is the command line, as in a workload; of several, what follows the name is."""
    line = words[1] if len(words) == 2 else text.split(maxsplit=1)[1] if len(words) > 1 else ""
    parts = shell_parts(line, finder)
    try:
        has_words = (
            len(shlex.split("".join(part if isinstance(part, str) else part.written("x") for part in parts))) > 1
        )
    except ValueError:
        has_words = False
    return ShellTemplate(parts, has_words=has_words)


@dataclass(frozen=True, slots=True)
class WordsTemplate:
    """The task's name, and for each of its arguments what it is put together from."""

    name: str
    words: Sequence[tuple[str | Place, ...]]
    pieces: Sequence[str | Place]
    """The line in pieces, for values that need no quotes; empty where its own texts around places need them."""

    @property
    def places(self) -> Sequence[Place]:
        return [part for word in self.words for part in word if isinstance(part, Place)]

    def filled(self, row: Row, number: int) -> str:
        """At a third of the cost where no value needs quotes."""
        if self.pieces and not row.names and len(row.values) == 1 and _is_bare(row.values[0]):
            texts = [piece if isinstance(piece, str) else piece.value(row, number) for piece in self.pieces]
            if all(texts):
                return _checked("".join(texts))
        return task_line(self.name, [argument for word in self.words for argument in _arguments(word, row, number)])


def _arguments(word: tuple[str | Place, ...], row: Row, number: int) -> Iterator[Any]:
    """What a word of the template comes to: one argument; of {} alone, one for each value."""
    only = word[0]
    if len(word) > 1:
        yield "".join(part if isinstance(part, str) else text_of(part.value(row, number)) for part in word)
    elif isinstance(only, str):
        yield only
    elif only.is_whole_row and len(row.values) > 1:
        yield from row.values
    else:
        yield only.value(row, number)


@dataclass(frozen=True, slots=True)
class ShellTemplate:
    """A line of the shell, with the quotes around each place."""

    parts: Sequence[str | QuotedPlace]
    has_words: bool
    """Whether it has several words whatever the values are: one alone would be taken for a quoted command line."""

    @property
    def places(self) -> Sequence[Place]:
        return [part.place for part in self.parts if isinstance(part, QuotedPlace)]

    def filled(self, row: Row, number: int) -> str:
        line = "".join(part if isinstance(part, str) else _quoted(part, row, number) for part in self.parts)
        _refuse_null([line])
        if self.has_words and line.isprintable():
            return _checked(f"{SHELL} {line}")
        return _as_json(SHELL, [line])


def _quoted(part: QuotedPlace, row: Row, number: int) -> str:
    """The value, quoted; outside of quotes, {} stands for all values of a row."""
    if part.place.is_whole_row and len(row.values) > 1 and not part.quote:
        return " ".join(part.written(text_of(value)) for value in row.values)
    return part.written(text_of(part.place.value(row, number)))


def task_line(name: str, args: Sequence[Any]) -> str:
    """A task as a line of words where its arguments are such, else as a line of JSON."""
    _refuse_null(args)
    if all(isinstance(each, str) and each.isprintable() for each in args) and name.isprintable():
        return _checked(" ".join(_word(each) for each in (name, *args)))
    return _as_json(name, args)


def object_line(value: Any) -> str:
    """A task as a line of JSON."""
    return _checked(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _word(text: str) -> str:
    return text if _BARE_WORD.fullmatch(text) else shlex.quote(text)


def _as_json(name: str, args: Sequence[Any]) -> str:
    return object_line({"task": name, "args": list(args)})


def _checked(line: str) -> str:
    """The line, if it can travel."""
    size_bytes = len(line) if line.isascii() else len(line.encode())
    if size_bytes > MAX_LINE_BYTES:
        raise RowError(f"the task has {size_bytes:,} bytes; the most is {MAX_LINE_BYTES:,}")
    return line


def _refuse_null(texts: Sequence[Any]) -> None:
    if any(isinstance(text, str) and "\0" in text for text in texts):
        raise RowError("a null character can't be given to a program")
