"""Tables, on terminals and in pipes."""

import click
import pytest

from cli.terminal.tables import Table, aligned, print_tables

TABLE = Table(
    ("worker", "state", "throttled", "instance", "reason"),
    ("left", "left", "left", "left", "left"),
    [
        ("host-1", "working", "-", "i-0123456789abcdef0 c7i.large", ""),
        ("host-2", "sick", "-", "i-0123456789abcdef1 c7i.large", "every task failed at once, but not elsewhere"),
    ],
)


def drawn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], table: Table, columns: int) -> list[str]:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    print_tables([table])
    plain = click.unstyle(capsys.readouterr().out)
    return [line.strip() for line in plain.splitlines() if line.strip()]


def test_silent_columns_are_left_out() -> None:
    """A column in which no row says anything is no column; an empty table stays empty."""
    header, *_ = aligned(TABLE.without_empty_columns())
    assert header.split() == ["worker", "state", "instance", "reason"]
    assert Table(("one",), ("left",), []).without_empty_columns().rows == []


@pytest.mark.parametrize(("columns", "lines"), [(120, 1), (80, 2)])
def test_a_wide_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, lines: int
) -> None:
    """A row is a line, of which only the last cell is folded."""
    shown = drawn(monkeypatch, capsys, TABLE.without_empty_columns(), columns)
    assert shown[0].split() == ["worker", "state", "instance", "reason"]
    assert len(shown) == 3 + lines
    assert shown[3].startswith("host-2   sick      i-0123456789abcdef1 c7i.large")


def test_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a row can't be a line it stands upright, without what it does not say."""
    shown = drawn(monkeypatch, capsys, TABLE.without_empty_columns(), 60)
    assert [line.split()[0] for line in shown[:6]] == ["worker", "state", "instance", "worker", "state", "instance"]
    assert shown[-1] == "reason     every task failed at once, but not elsewhere"
