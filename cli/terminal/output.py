"""Where a command's data goes: to stdout, as text for a person, or as JSON or CSV for a program."""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

import click

from cli.terminal.tables import Table, print_tables
from cloudkon.printable import printable

_OURS = re.compile(r"(\n|\x1b\[(?:0|1|2|3[0-7]|9[0-7])m)")
"""Line breaks and colours."""
_Data = TypeVar("_Data", bound=Mapping[str, Any])


class Format(StrEnum):
    """How data is written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Output:
    """Writes data to stdout in the format that was asked for, and what a person is told about it to stderr."""

    format: Format = Format.TEXT

    @property
    def is_text(self) -> bool:
        """Whether a person reads it."""
        return self.format is Format.TEXT

    def value(self, data: Mapping[str, Any], text: Iterable[Table | str] = ()) -> None:
        """Write one thing: an object on a line, or these tables and lines (by default nothing)."""
        if self.format is Format.CSV:
            raise TypeError("one thing is no table")
        if not self.is_text:
            _write(data)
            return
        tables: list[Table] = []
        for part in text:
            if isinstance(part, Table):
                tables.append(part)
            else:
                print_tables(tables)
                tables.clear()
                click.echo(_printable(part))
        print_tables(tables)

    def listing(self, data: Iterable[Mapping[str, Any]], table: Table) -> None:
        """Write many things: an object a line, or a table of all."""
        if self.is_text:
            print_tables([table])
            return
        for each in data:
            _write(each)

    def lines(self, data: Iterable[_Data], text: Callable[[_Data], str], columns: Sequence[str] = ()) -> None:
        """Write very many things: an object or a line of text each; they may come late in a pipe, but fast.

        As CSV, these columns of them are written, below a header.
        """
        if self.format is Format.CSV:
            _write_csv(data, columns)
            return
        told = text if self.is_text else partial(json_line, encoding=sys.stdout.encoding)
        for each in data:
            sys.stdout.write(f"{told(each)}\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Tell a person something on stderr; a program that reads JSON has it in the data."""
        if self.is_text:
            click.echo(_printable(text), err=True)


def _printable(text: str) -> str:
    """The text, of any number of lines, with nothing but our own colours that could do anything to a terminal."""
    return "".join(part if _OURS.fullmatch(part) else printable(part) for part in _OURS.split(text))


def _write_csv(data: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """RFC 4180, with line feeds; what is no text, number or truth is written as JSON."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(each.get(column)) for column in columns] for each in data)
    sys.stdout.flush()


def _cell(value: Any) -> Any:
    return json_line(value) if isinstance(value, dict | list | bool) else value


def _write(data: Mapping[str, Any]) -> None:
    click.echo(json_line(data, sys.stdout.encoding))


def json_line(data: Any, encoding: str = "utf-8") -> str:
    """JSON that keeps letters as they are, and escapes what can't be printed or encoded."""
    text = json.dumps(data, ensure_ascii=False)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(data)
    return text if text.isprintable() else "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
