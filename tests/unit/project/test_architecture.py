"""The page of the architecture says of the rooms what the law says."""

import re
from pathlib import Path

from tests.unit.project.test_law import APART, LAW

PAGE = Path("docs/architecture.md").read_text(encoding="utf-8")
ROWS = [
    re.findall(r"`([^`]+)`", row)
    for row in re.findall(r"^\| (`.*?`) \|", PAGE.partition("## The house")[2].partition("### ")[0], re.MULTILINE)
]


def room(place: str) -> str:
    """The room that a folder or a file of the table is."""
    return APART.get(place) or place.removesuffix("/")


def test_every_room_is_described_once() -> None:
    """The table of rooms has each room of the law in one row, by its folder or by its files."""
    described = [{room(place) for place in row} for row in ROWS]
    assert sorted(name for row in described for name in row) == sorted(LAW)


def test_a_room_stands_below_those_that_it_imports() -> None:
    """A room may import only what stands above it in the table, as the page says."""
    rank = {room(place): number for number, row in enumerate(ROWS) for place in row}
    assert {(name, below) for name, allowed in LAW.items() for below in allowed if rank[below] >= rank[name]} == set()


def test_a_task_is_followed_in_ten_steps() -> None:
    """The way of a task has ten steps, and each names the file that does it."""
    steps = re.findall(
        r"^\d+\. (.*?)(?=^\d+\. |\Z)", PAGE.partition("in ten steps")[2].partition("\n## ")[0], re.MULTILINE | re.DOTALL
    )
    assert len(steps) == 10
    assert [step for step in steps if ".py)" not in step] == []
