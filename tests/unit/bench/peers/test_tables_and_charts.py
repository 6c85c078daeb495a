"""What the runs come to is worked out and shown right, in tables and in charts."""

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench.peers import page, pictures, summary
from bench.peers.charts import Axis, Panel, Scale, bars, lines
from bench.peers.measuring import Row
from bench.peers.pictures import PICTURES
from bench.peers.tables import TABLES


def row(makespans_s: Sequence[float], **more: Any) -> Row:
    """What one program took for a hundred tasks."""
    runs = [
        {"makespan_s": s, "wall_s": s + 1, "cpu_s": 0.5, "peak_mb": 20.0, "bundles": 4.0, "tasks_per_s": 100 / s}
        | {"calls_per_task": 2.0, "usd_per_million": 0.8, "sqs_calls_per_task": 1.0, "usd_per_million_sqs": 0.4}
        for s in makespans_s
    ]
    return {"work": "`sleep 0`", "tasks": 100, "slots": 4, "ideal_s": 1.0, "program": "CloudKon", "runs": runs} | more


ROWS = [
    row([s * slots for s in (2, 1, 4)], slots=slots, tasks=100 * slots, program=program)
    for slots in (4, 16)
    for program in ("CloudKon", "another")
]


def test_the_median_and_the_best_run_are_told() -> None:
    """An outlier changes neither; efficiency and rate are those of the median."""
    one = row([2.0, 1.0, 40.0])
    assert summary.middle(one, summary.makespan_s) == 2.0
    assert summary.least(one, summary.makespan_s) == 1.0
    assert summary.middle(one, summary.rate(one)) == 50.0
    assert summary.most(one, summary.rate(one)) == 100.0
    assert summary.middle(one, summary.cpu_us(one)) == 5_000.0
    assert summary.efficiency(one) == 0.5


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_cell_under_each_head(name: str) -> None:
    """All lines of a table have as many cells as its head, and every program is in it."""
    table = TABLES[name](ROWS).splitlines()
    assert {line.count(" | ") for line in table} == {table[0].count(" | ")}
    assert len(table) > 3


def test_the_table_of_threads_tells_rates() -> None:
    """A hundred tasks in two seconds are fifty a second, a hundred in the best run."""
    assert TABLES["threads"]([row([2.0, 1.0, 4.0])]).splitlines()[2] == ("| CloudKon | 50 (100) | 5,000 µs | 20 MB |")


@pytest.mark.parametrize("name", PICTURES)
def test_every_chart_is_an_svg_that_says_what_it_shows(name: str) -> None:
    """A chart can be parsed, has a title and a description, and draws nothing outside of itself."""
    root = ET.fromstring(PICTURES[name](ROWS))
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}title")
    assert root.findtext(f"{space}desc")
    for circle in root.iter(f"{space}circle"):
        assert 0 <= float(circle.attrib["cx"]) <= float(root.attrib["width"])
        assert 0 <= float(circle.attrib["cy"]) <= float(root.attrib["height"])


def test_scales_put_values_in_proportion() -> None:
    """Half-way is half-way, by value or by its logarithm."""
    assert Scale(0, 10, 100, 200).at(5) == 150
    assert Scale(1, 100, 0, 200, logarithmic=True).at(10) == pytest.approx(100)


@pytest.mark.parametrize("highest", [0.05, 0.868, 1.31, 8, 10, 17.4, 400, 736, 999_999])
def test_marks_are_few_and_reach_the_highest_value(highest: float) -> None:
    """An axis has three to seven marks, from 0 to the highest value or little above it."""
    marks = list(pictures._even(highest))
    assert marks[0] == 0
    assert 3 <= len(marks) <= 7
    assert marks[-2] < highest <= marks[-1] * 1.000001


def test_names_in_charts_are_escaped() -> None:
    """A name with a sign of XML's own is shown, not obeyed."""
    axis = Axis("a < b", {0: "0", 1: "1"})
    for drawn in (bars("<t>", "&", {"<p>": {"x": 1}}, axis, str), lines("<t>", "&", [Panel("<p>", axis, axis, {})])):
        ET.fromstring(drawn)
        assert "&lt;p&gt;" in drawn


def test_tables_go_into_their_places_of_the_page() -> None:
    """What stood in a place is replaced, what stands around it stays, and a second time changes nothing."""
    measured = {"versions": {"b": "2", "a": "1"}, "experiments": {"threads": {"when": "now", "rows": [row([2.0])]}}}
    text = "".join(f"before\n<!-- peers: {name} -->\nold\n<!-- /peers -->\n" for name in ("versions", "threads"))
    filled = page.fill(text, measured)
    assert filled.count("before") == 2
    assert "old" not in filled
    assert "<!-- peers: versions -->\n\na 1, b 2.\n\n<!-- /peers -->" in filled
    assert page.fill(filled, measured) == filled


def test_a_page_without_the_place_is_refused() -> None:
    """A table that has no place in the page is not dropped in silence."""
    with pytest.raises(ValueError, match="no place for versions"):
        page.fill("", {"versions": {"a": "1"}, "experiments": {}})


def test_the_docs_show_what_was_measured() -> None:
    """The tables of docs/benchmarks.md are those of the kept figures, and each chart is linked and drawn from them."""
    measured, text = page.kept(), page.PAGE.read_text(encoding="utf-8")
    assert page.fill(text, measured) == text
    for name in PICTURES.keys() & measured["experiments"].keys():
        drawn = (page.PICTURED / f"peers-{name}.svg").read_text(encoding="utf-8")
        assert drawn == PICTURES[name](measured["experiments"][name]["rows"])
        assert re.search(rf"!\[[^\]]+\]\(pictures/peers-{name}\.svg\)", text)
