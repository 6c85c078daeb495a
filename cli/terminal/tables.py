"""Draws tables: with rich on a terminal, as aligned text where the output is read by another program."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from cloudkon.printable import printable

_GAP = "  "
_GAP_ON_A_TERMINAL = 3
_LEAST_TEXT = 24
"""The last column is folded where it is long; into less than this it is not worth reading."""
_EMPTY = frozenset({"", "-"})


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by rows; the sides, one a column, say where each column's cells are aligned. A header may be empty."""

    header: Sequence[str]
    sides: Sequence[Literal["left", "right"]]
    rows: Sequence[Sequence[str]]

    def without_empty_columns(self) -> "Table":
        """Without the columns in which no row says anything."""
        kept = [at for at in range(len(self.sides)) if any(row[at] not in _EMPTY for row in self.rows)]
        header, *rows = ([line[at] for at in kept] for line in (self.header, *self.rows))
        return Table(header, [self.sides[at] for at in kept], rows)


def _printable(table: Table) -> Table:
    """The table, with nothing in it that could move a cursor or turn a line around: anybody may have written it."""
    return replace(table, rows=[[printable(cell) for cell in row] for row in table.rows])


def print_tables(tables: Sequence[Table]) -> None:
    """Write the tables to stdout, a blank line between them; those without rows are left out."""
    filled = [_printable(table) for table in tables if table.rows]
    console = Console()
    for number, table in enumerate(filled):
        if console.is_terminal:
            for fitting in [table] if _fits(table, console.width) else _as_cards(table):
                console.print(_rich(fitting))
            continue
        if number:
            click.echo()
        for line in aligned(table):
            click.echo(line)


def _fits(table: Table, width: int) -> bool:
    """Whether each row can be a line, but for the last column."""
    *widths, last = _widths(table)
    return not table.header or sum(widths) + _GAP_ON_A_TERMINAL * len(widths) + min(last, _LEAST_TEXT) <= width


def _as_cards(table: Table) -> Iterator[Table]:
    """A table a row, of what the row says: each column is a line."""
    for row in table.rows:
        said = [pair for pair in zip(table.header, row, strict=True) if pair[1] not in _EMPTY]
        yield Table((), ("left", "left"), said)


def _widths(table: Table) -> list[int]:
    lines = [table.header, *table.rows] if table.header else table.rows
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _rich(table: Table) -> RichTable:
    drawn = RichTable(box=SIMPLE_HEAD, show_header=bool(table.header), pad_edge=False)
    last = len(table.sides) - 1
    for at, (name, side) in enumerate(zip(table.header or [""] * len(table.sides), table.sides, strict=True)):
        drawn.add_column(name, justify=side, overflow="fold", no_wrap=at < last)
    for row in table.rows:
        drawn.add_row(*map(Text, row))  # cells are text, not markup
    return drawn


def aligned(table: Table) -> Iterator[str]:
    """The lines of the table, without spaces at their ends."""
    widths = _widths(table)
    for line in [table.header, *table.rows] if table.header else table.rows:
        cells = [
            cell.rjust(width) if side == "right" else cell.ljust(width)
            for cell, width, side in zip(line, widths, table.sides, strict=True)
        ]
        yield _GAP.join(cells).rstrip()
