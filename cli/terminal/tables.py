"""Draws tables: fitted to a terminal, or as aligned text where another program reads the output."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from unicodedata import combining, east_asian_width

import click

from cli.terminal.style import coloured_state, in_this_locale, terminal_width
from cloudkon.printable import printable

Side = Literal["left", "right"]
_GAP = "  "
_LEAST_TEXT = 24
"""A column that is folded into less than this is not worth reading."""
_EMPTY = frozenset({"", "-"})
_STATE = "state"
"""The column whose cells are coloured."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by rows; the sides, one a column, say where each column's cells are aligned. A header may be empty."""

    header: Sequence[str]
    sides: Sequence[Side]
    rows: Sequence[Sequence[str]]
    expendable: str = ""
    """The column that is left out of a terminal on which the rows do not fit."""

    def without_empty_columns(self) -> "Table":
        """Without the columns in which no row says anything."""
        kept = [at for at in range(len(self.sides)) if any(row[at] not in _EMPTY for row in self.rows)]
        header, *rows = ([line[at] for at in kept] for line in (self.header, *self.rows))
        return replace(self, header=header, sides=[self.sides[at] for at in kept], rows=rows)

    def without(self, name: str) -> "Table":
        """Without the column of this name."""
        kept = [at for at, column in enumerate(self.header) if column != name]
        header, *rows = ([line[at] for at in kept] for line in (self.header, *self.rows))
        return Table(header, [self.sides[at] for at in kept], rows)


def _printable(table: Table) -> Table:
    """The table, with nothing in it that could move a cursor or turn a line around: anybody may have written it."""
    return replace(table, rows=[[printable(cell) for cell in row] for row in table.rows])


def print_tables(tables: Sequence[Table]) -> None:
    """Write the tables to stdout, a blank line between them; those without rows are left out."""
    width = terminal_width()
    for number, table in enumerate(_printable(table) for table in tables if table.rows):
        if number:
            click.echo()
        for line in drawn(table, width):
            click.echo(in_this_locale(line))


def drawn(table: Table, width: int | None) -> Iterator[str]:
    """The lines of the table on a terminal of so many columns; None: in a file or a pipe."""
    if width is None:
        yield from aligned(table)
        return
    if table.expendable and _total(_widths(table)) > width:
        table = table.without(table.expendable)
    widths = _fitted(table, width)
    if widths is None:
        yield from _cards(table, width)
        return
    if table.header:
        yield from _row(table, table.header, widths)
        yield "─" * min(width, _total(widths))
    for row in table.rows:
        yield from _row(table, row, widths)


def aligned(table: Table) -> Iterator[str]:
    """The lines of the table, each row on one, without spaces at their ends."""
    widths = _widths(table)
    for line in [table.header, *table.rows] if table.header else table.rows:
        yield from _row(table, line, widths)


def _fitted(table: Table, width: int) -> list[int] | None:
    """The widths of the columns, the widest text folded where the rows are too long; None if they can't be."""
    widths = _widths(table)
    too_much = _total(widths) - width
    if too_much <= 0:
        return widths
    texts = [at for at, side in enumerate(table.sides) if side == "left"]
    folded = max(texts, key=lambda at: widths[at])
    if widths[folded] - too_much < _LEAST_TEXT and table.header:
        return None
    widths[folded] = max(widths[folded] - too_much, _LEAST_TEXT)
    return widths


def _cards(table: Table, width: int) -> Iterator[str]:
    """A small table for each row, of what the row says: each column is a line."""
    for number, row in enumerate(table.rows):
        if number:
            yield ""
        said = [pair for pair in zip(table.header, row, strict=True) if pair[1] not in _EMPTY]
        yield from drawn(Table((), ("left", "left"), said), width)


def _row(table: Table, cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    folded = [
        [cell] if columns(cell) <= width else _folded(cell, width) for cell, width in zip(cells, widths, strict=True)
    ]
    for at in range(max(map(len, folded))):
        shown = []
        for column, (parts, width) in enumerate(zip(folded, widths, strict=True)):
            text = parts[at] if at < len(parts) else ""
            space = " " * (width - columns(text))
            text = space + text if table.sides[column] == "right" else text + space
            is_state = bool(table.header) and table.header[column] == _STATE and cells is not table.header
            shown.append(coloured_state(text) if is_state else text)
        yield _GAP.join(shown).rstrip()


def _folded(text: str, width: int) -> list[str]:
    """At blanks where there are any; a word that is too long is cut."""
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _widths(table: Table) -> list[int]:
    lines = [table.header, *table.rows] if table.header else table.rows
    return [max(map(columns, column)) for column in zip(*lines, strict=True)]


def columns(text: str) -> int:
    """How many columns of a terminal the text takes: letters of the East take two."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)
