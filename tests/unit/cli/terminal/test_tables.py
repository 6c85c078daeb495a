"""Tables, on terminals and in pipes."""

import click
import pytest

from cli.terminal.tables import Table, aligned, columns, drawn, print_tables

TABLE = Table(
    ("worker", "state", "throttled", "instance", "reason"),
    ("left", "left", "left", "left", "left"),
    [
        ("host-1", "working", "-", "i-0123456789abcdef0 c7i.large", ""),
        ("host-2", "sick", "-", "i-0123456789abcdef1 c7i.large", "every task failed at once, but not elsewhere"),
    ],
)


def shown_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], table: Table, columns: int
) -> list[str]:
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


@pytest.mark.parametrize(("width", "lines"), [(120, 1), (80, 2)])
def test_on_a_wide_terminal_only_the_widest_text_is_folded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, lines: int
) -> None:
    """A row is a line, of which the widest text is folded if need be."""
    shown = shown_on_a_terminal(monkeypatch, capsys, TABLE.without_empty_columns(), width)
    assert shown[0].split() == ["worker", "state", "instance", "reason"]
    assert len(shown) == 3 + lines
    assert shown[3].startswith("host-2  sick     i-0123456789abcdef1 c7i.large")


def test_on_a_narrow_terminal_rows_stand_upright(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a row can't be a line it stands upright, without what it does not say."""
    shown = shown_on_a_terminal(monkeypatch, capsys, TABLE.without_empty_columns(), 50)
    assert [line.split()[0] for line in shown[:6]] == ["worker", "state", "instance", "worker", "state", "instance"]
    assert shown[-2:] == ["reason    every task failed at once, but not", "elsewhere"]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Whatever the texts, a line fits; nothing of them is lost, and a word that fits is not cut."""
    text = "HTTP Error 503: Service Unavailable, after three tries of the same address and a long explanation"
    table = Table(("tasks", "reason", "lines"), ("right", "left", "left"), [("3", text, "1, 2, 3"), ("12", "x", "7")])
    lines = list(drawn(table, width))
    assert max(map(len, lines)) <= width
    assert not {word for word in text.split() if not any(word in line for line in lines)}


def test_letters_of_two_columns_are_counted_as_two() -> None:
    """Columns line up though a name is written in wide letters or with combining accents."""
    assert [columns(text) for text in ("abc", "你好", "e\N{COMBINING ACUTE ACCENT}", "ß")] == [3, 4, 1, 1]
    first, second = aligned(Table((), ("left", "left"), [("你好", "x"), ("abcd", "y")]))
    assert (first, second) == ("你好  x", "abcd  y")


def test_a_cell_that_no_row_can_hold_is_cut() -> None:
    """A path without blanks is cut where it must be, so that the columns beside it stay."""
    lines = list(drawn(Table(("job", "source"), ("left", "left"), [("one", "/" + "x" * 100)]), 40))
    assert max(map(len, lines)) <= 40
    assert "".join(line.split()[-1] for line in lines[2:]) == "/" + "x" * 100
