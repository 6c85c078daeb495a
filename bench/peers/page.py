"""What was measured is kept in a file, and put from there into docs/benchmarks.md and its pictures."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.peers.measuring import Row
from bench.peers.pictures import PICTURES, SHOWS
from bench.peers.tables import TABLES, versions

MEASURED = Path(__file__).with_name("measured.json")
PAGE = Path("docs/benchmarks.md")
PICTURED = Path("docs/pictures")
_PLACE = r"(<!-- peers: {name} -->\n).*?(<!-- /peers -->)"


def kept() -> dict[str, Any]:
    """What was measured so far; nothing yet is no fault."""
    if not MEASURED.exists():
        return {"versions": {}, "experiments": {}}
    found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def keep(name: str, rows: Sequence[Row], told: Mapping[str, str], when: str) -> None:
    """Put an experiment in place of its last one; the others stay, each with its own date."""
    measured = kept()
    measured["versions"] = dict(told)
    measured["experiments"][name] = {"when": when, "rows": list(rows)}
    MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def fill(text: str, measured: Mapping[str, Any]) -> str:
    """The page with the tables of what was measured in their places; raises ValueError if a place is missing."""
    filled = {name: _shown(name, found["rows"]) for name, found in measured["experiments"].items()}
    told = {"versions": versions(measured["versions"])} if measured["versions"] else {}
    for name, table in (filled | told).items():
        place = re.compile(_PLACE.format(name=name), re.DOTALL)
        if not place.search(text):
            raise ValueError(f"The page has no place for {name}: <!-- peers: {name} --> and <!-- /peers -->")
        text = place.sub(lambda found, table=table: f"{found[1]}\n{table}\n\n{found[2]}", text)  # type: ignore[misc]
    return text


def _shown(name: str, rows: Sequence[Row]) -> str:
    table = TABLES[name](rows)
    return f"{table}\n\n![{SHOWS[name]}](pictures/peers-{name}.svg)" if name in PICTURES else table


def publish() -> None:
    """Write the page and draw the pictures, from what is kept."""
    measured = kept()
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
    PICTURED.mkdir(exist_ok=True)
    for name, found in measured["experiments"].items():
        if name in PICTURES:
            (PICTURED / f"peers-{name}.svg").write_text(PICTURES[name](found["rows"]), encoding="utf-8")
