"""Draws tables: with rich on a terminal, as aligned text where the output is read by another program."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by rows; the sides, one a column, say where each column's cells are aligned. A header may be empty."""

    header: Sequence[str]
    sides: Sequence[Literal["left", "right"]]
    rows: Sequence[Sequence[str]]


def print_tables(tables: Sequence[Table]) -> None:
    """Write the tables to stdout, a blank line between them; those without rows are left out."""
    filled = [table for table in tables if table.rows]
    console = Console()
    for number, table in enumerate(filled):
        if console.is_terminal:
            console.print(_rich(table))
            continue
        if number:
            click.echo()
        for line in aligned(table):
            click.echo(line)


def _rich(table: Table) -> RichTable:
    drawn = RichTable(box=SIMPLE_HEAD, show_header=bool(table.header), pad_edge=False)
    for name, side in zip(table.header or [""] * len(table.sides), table.sides, strict=True):
        drawn.add_column(name, justify=side, overflow="fold")
    for row in table.rows:
        drawn.add_row(*map(Text, row))  # cells are text, not markup
    return drawn


def aligned(table: Table) -> Iterator[str]:
    """The lines of the table, without spaces at their ends."""
    lines = [list(table.header), *table.rows] if table.header else list(table.rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.rjust(width) if side == "right" else cell.ljust(width)
            for cell, width, side in zip(line, widths, table.sides, strict=True)
        ]
        yield _GAP.join(cells).rstrip()
