"""Why tasks failed, as a table: `failed` shows it, and every run that did not end well."""

from collections.abc import Sequence

from cli.terminal.tables import Table
from cloudkon.printable import one_line
from cloudkon.reports.error_groups import ErrorGroup, without_middle

_MOST_CHARACTERS = 300


def error_table(groups: Sequence[ErrorGroup]) -> Table:
    """A row a reason: how many tasks, their state, the reason, the lines of the first few."""
    rows = [
        (f"{group.count:,}", group.state, one_line(without_middle(group.text, _MOST_CHARACTERS), None), _lines(group))
        for group in groups
    ]
    return Table(("tasks", "state", "reason", "lines"), ("right", "left", "left", "left"), rows)


def _lines(group: ErrorGroup) -> str:
    more = ["..."] if group.count > len(group.lines) else []
    return ", ".join([*(f"{line}" for line in group.lines), *more])
