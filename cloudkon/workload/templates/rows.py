"""Reads the lines below a form's header as rows: of plain values, of CSV, or of JSON."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from cloudkon.workload.task_line import LineError, json_value
from cloudkon.workload.templates.errors import RowError, TemplateError
from cloudkon.workload.templates.places import Row

MAX_COLUMNS = 1_000
MAX_NAMES_CHARACTERS = 8 * 1024
_MAX_SEPARATOR_CHARACTERS = 100
_ESCAPES: Mapping[str, str] = MappingProxyType({"\\t": "\t"})
_EMPTY = Row()


class Format(StrEnum):
    """How a row is written on its line."""

    LINES = "lines"
    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"


DELIMITERS: Mapping[Format, str] = MappingProxyType({Format.CSV: ",", Format.TSV: "\t"})


class RowReader(Protocol):
    def read(self, text: str) -> Row | None:
        """The row on a line, None if there is none; raise RowError with the reason."""
        ...


@dataclass(frozen=True, slots=True)
class LineReader:
    """The line is a value, or several with a separator (a regular expression) between them; an empty one is none."""

    separator: re.Pattern[str] | None = None

    def read(self, text: str) -> Row | None:
        if not text:
            return None
        return Row((text,) if self.separator is None else tuple(self.separator.split(text)))


@dataclass(slots=True)
class TableReader:
    """A line of CSV. A field can't go on over the end of its line: what belongs to one that does is refused, too."""

    columns: Sequence[str]
    delimiter: str
    _is_open: bool = field(default=False, init=False)

    def read(self, text: str) -> Row | None:
        if self._is_open:
            self._is_open = text.count('"') % 2 == 0
            raise RowError("it belongs to a quoted field that began on an earlier line; a row has one line")
        if not text or text.isspace():
            return None
        values = self._values(text)
        if len(values) != len(self.columns):
            raise RowError(f"the row has {len(values)} values, and the table {len(self.columns)} columns")
        return Row(values, dict(zip(self.columns, values, strict=True)))

    def _values(self, text: str) -> Sequence[str]:
        if '"' not in text:
            return text.split(self.delimiter)
        try:
            return fields_of(text, self.delimiter)
        except _UnclosedError:
            self._is_open = True
            raise


class _UnclosedError(RowError):
    """A quoted field does not end on its line."""


def fields_of(text: str, delimiter: str) -> list[str]:
    """The fields of a line of CSV; raise RowError for quotes that don't close, or stand where they can't."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "end of data" in str(error):
            raise _UnclosedError("a quoted field does not end on its line; a row has one line") from error
        raise RowError(f"not valid CSV: {error}") from error


@dataclass(frozen=True, slots=True)
class JsonReader:
    """An object is values by name, a list is values in order, and anything else is one value."""

    def read(self, text: str) -> Row | None:
        if not text or text.isspace():
            return None
        try:
            value = json_value(text)
        except LineError as error:
            raise RowError(str(error)) from error
        match value:
            case dict():
                return Row(names=value)
            case list():
                return Row(value)
            case _:
                return Row((value,))


def row_reader(format_: Format, separator: str | None, columns: Sequence[str]) -> RowReader:
    """The reader for a format; raise TemplateError for a separator that can't be."""
    match format_:
        case Format.LINES:
            return LineReader(None if separator is None else _pattern(separator))
        case Format.CSV | Format.TSV:
            return TableReader(columns, delimiter_of(format_, separator))
        case Format.JSONL:
            if separator is not None:
                raise TemplateError(f"colsep={separator!r} is for lines and tables, and format=jsonl has neither")
            return JsonReader()


def delimiter_of(format_: Format, separator: str | None) -> str:
    """The character between the fields of a table."""
    delimiter = DELIMITERS[format_] if separator is None else _ESCAPES.get(separator, separator)
    if len(delimiter) == 1 and delimiter not in '"\r\n':
        return delimiter
    raise TemplateError(f"colsep={delimiter[:40]!r}: between the fields of a table stands one character")


def _pattern(separator: str) -> re.Pattern[str]:
    if len(separator) > _MAX_SEPARATOR_CHARACTERS:
        raise TemplateError(f"colsep has {len(separator):,} characters; the most is {_MAX_SEPARATOR_CHARACTERS}")
    try:
        pattern = re.compile(separator)
    except re.error as error:
        raise TemplateError(f"colsep={separator!r} is no regular expression: {error}") from error
    if pattern.groups or pattern.match("") is not None:
        raise TemplateError(f"colsep={separator!r} matches nothing, or has groups; a | is written \\|")
    return pattern


def column_names(line: str, format_: Format, separator: str | None) -> Sequence[str]:
    """The names in the first line of a table; raise TemplateError if they are no such."""
    try:
        names = [name.strip() for name in fields_of(line, delimiter_of(format_, separator))]
    except RowError as error:
        raise TemplateError(f"the names of the columns can't be read: {error}") from error
    if len(names) > MAX_COLUMNS or sum(map(len, names)) > MAX_NAMES_CHARACTERS:
        raise TemplateError(
            f"there are {len(names):,} columns; the most is {MAX_COLUMNS:,}, in {MAX_NAMES_CHARACTERS:,} characters"
        )
    if "" in names:
        raise TemplateError(f"column {names.index('') + 1} of {len(names)} has no name")
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise TemplateError(f"two columns are named {twice[:40]!r}")
    return names
