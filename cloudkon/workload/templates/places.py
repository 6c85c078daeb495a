"""The places of a template, such as {}, {2}, {/.} or {width}, and what stands there for a row."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from cloudkon.workload.templates.errors import RowError, TemplateError

_BRACES = re.compile(r"\{([^{}\n]*)\}")
_CHANGED = re.compile(r"(?P<column>.*?)(?P<change>//|/\.|/|\.)?", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w-]*")
_EXTENSION = re.compile(r"\.[^/.]*$")
_OF_PARALLEL = re.compile(r"=.*=|%|\+.*|-\d+.*|\??!?%|0+[#%]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """What one line of the workload holds: values in order, values by name, or both."""

    values: Sequence[Any] = ()
    names: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value of the row goes, and what is done to it."""

    text: str
    """As it stands in the template."""
    column: int | str | None = None
    """Which value: by its number, from 1, or by its name; None for the only one."""
    change: str = ""
    """Which part of a path: all, without extension (.), its name (/), its folder (//), name without extension (/.)."""
    is_number: bool = False
    """The number of the row, instead of a value."""

    @property
    def is_whole_row(self) -> bool:
        """Whether it is {}: with several values, it stands for all of them."""
        return self.column is None and not self.change and not self.is_number

    def value(self, row: Row, number: int) -> Any:
        """What stands here for this row; raise RowError if it has no such value."""
        if self.is_number:
            return str(number)
        found = self._found(row)
        return changed(text_of(found), self.change) if self.change else found

    def _found(self, row: Row) -> Any:
        if isinstance(self.column, str):
            if self.column in row.names:
                return row.names[self.column]
            raise RowError(f"the row has no {self.column!r}{_did_you_mean(self.column, row.names)}")
        if self.column is None and len(row.values) != 1:
            what = f"named values ({shown_names(row.names)})" if row.names else f"{len(row.values)} values"
            raise RowError(f"the row has {what}, and {self.text} does not say which one goes there")
        if self.column is not None and self.column > len(row.values):
            has = f"{len(row.values)} value{'' if len(row.values) == 1 else 's'}"
            raise RowError(f"the row has {has}, and {self.text} asks for value {self.column}")
        return row.values[(self.column or 1) - 1]


def text_of(value: Any) -> str:
    """A value as a word: what is no text is written as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def changed(path: str, change: str) -> str:
    """The part of a path that a change asks for, as GNU parallel takes it apart."""
    match change:
        case ".":
            return _EXTENSION.sub("", path)
        case "/":
            return path.rpartition("/")[2]
        case "//":
            return posixpath.dirname(path.rstrip("/") or path) or "."
        case "/.":
            return _EXTENSION.sub("", path.rpartition("/")[2])
        case _:
            return path


@dataclass(frozen=True, slots=True)
class PlaceFinder:
    """Knows which texts in braces are places."""

    columns: Sequence[str] | None = None
    """The names of the values, where they are known."""
    is_named: bool = False
    """Whether values have names at all."""

    def split(self, text: str) -> Iterator[str | Place]:
        """The text between places, and the places, in order; raise TemplateError for a place that can't be."""
        at = 0
        for found in _BRACES.finditer(text):
            place = None if text[: found.start()].endswith(("$", "\\")) else self._place(found[1])
            if place is not None:
                if found.start() > at:
                    yield text[at : found.start()]
                yield place
                at = found.end()
        if at < len(text):
            yield text[at:]

    def _place(self, inner: str) -> Place | None:
        text = f"{{{inner}}}"
        if inner == "#":
            return Place(text, is_number=True)
        if inner in (self.columns or ()):
            return Place(text, inner)
        match = _CHANGED.fullmatch(inner)
        column, change = (match["column"], match["change"] or "") if match else (inner, "")
        if not column:
            return Place(text, change=change)
        if column in (self.columns or ()):
            return Place(text, column, change)
        if column.isdecimal() and column.isascii():
            return self._numbered(text, column, change)
        if _OF_PARALLEL.fullmatch(inner):
            raise TemplateError(f"{text} is of GNU parallel only; see docs/from-parallel.md")
        return self._named(text, column, change) if _NAME.fullmatch(column) else None

    def _numbered(self, text: str, column: str, change: str) -> Place:
        number = int(column[:9])
        if number < 1 or (self.columns is not None and number > len(self.columns)):
            most = "" if self.columns is None else f" to {len(self.columns)}"
            raise TemplateError(f"{text}: values are numbered from 1{most}")
        return Place(text, number, change)

    def _named(self, text: str, column: str, change: str) -> Place:
        if not self.is_named:
            raise TemplateError(
                f"{text}: values have names only with format=csv, tsv or jsonl; "
                f"here they are {{}}, or {{1}}, {{2}} ... Text that is no place is written with blanks: {{ {column} }}"
            )
        if self.columns is not None:
            raise TemplateError(
                f"{text} is none of the columns ({shown_names(self.columns)}){_did_you_mean(column, self.columns)}"
            )
        return Place(text, column, change)


def shown_names(names: Sequence[str] | Mapping[str, Any]) -> str:
    """The first of the names."""
    first = [name[:40] for name in list(names)[:8]]
    return ", ".join(first) + (", ..." if len(names) > len(first) else "")


def _did_you_mean(name: str, names: Sequence[str] | Mapping[str, Any]) -> str:
    near = get_close_matches(name, list(names)[:1000], n=1)
    return f"; did you mean {{{near[0]}}}?" if near else ""
