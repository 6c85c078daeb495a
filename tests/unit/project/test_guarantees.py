import re
from pathlib import Path

import pytest

PAGE = Path("docs/guarantees.md").read_text(encoding="utf-8")
PROMISED = PAGE.partition("## Promised")[2].partition("## Not promised")[0]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def rows() -> list[str]:
    """The rows of the promises' tables, without their heads."""
    lines = [line for line in PROMISED.splitlines() if line.startswith("|")]
    return [line for line in lines if not line.startswith(("|---", "| mechanism"))]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    """The page of guarantees names tests, and invariants, that there are."""
    assert re.search(rf"^ *(def|class) {name}\b", Path(file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("row", rows())
def test_every_mechanism_has_its_test(row: str) -> None:
    """Nothing is promised without naming what would fail if it broke."""
    assert "`tests/" in row.rstrip("|").rpartition("|")[2]


def test_all_promises_are_there() -> None:
    """The page holds the design's four promises, and that of the budgets."""
    assert re.findall(r"^### (\d)\. ", PROMISED, re.MULTILINE) == ["1", "2", "3", "4", "5"]
