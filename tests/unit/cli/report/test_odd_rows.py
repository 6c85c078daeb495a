"""Whatever a ledger holds, the report is made: rows of clocks that differ, of forgers, of other versions."""

import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.jobs.ledgers import FoundJob, Records
from cli.report.facts import gather
from cli.report.page import MOST_BYTES, page
from cloudkon.costs.prices import shipped_prices
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.store import FolderStore
from tests.support.data.recorded import EVENT_MS, Recorded, job, report, result, row, worker
from tests.support.manual_clock import ManualClock

TIMES = (0, 1, 5, 100, 1_000, 10**6, 10**9, 2**40, -50, -(10**6))
SIGNS = "<>&\"'{}\\\n\t\x00\x1b\u202e\u2028\ud800\udce9\U0001f600abc "
VALUE = {"sheet": "outputs/x/sheet.jpg", "seconds": 3, "pictures": 2, "bytes": 5}


def text(dice: random.Random) -> str:
    return "".join(dice.choice(SIGNS) for _ in range(dice.randrange(30)))


def task(dice: random.Random) -> TaskResult | None:
    known = result(
        dice.choice(list(TaskState)),
        start=dice.choice(TIMES),
        ms=abs(dice.choice(TIMES)) / dice.choice((1, 1_000)),
        attempt=dice.randint(1, 3),
        runs=dice.randint(1, 4),
        error=dice.choice((None, text(dice))),
        value=dice.choice((None, VALUE, text(dice))),
    )
    output = dice.choice((None, "outputs/x/video.mp4", text(dice)))
    recorded_ms = dice.choice((None, EVENT_MS + dice.choice(TIMES)))
    odd = replace(known, output=output, raised_at=dice.choice((None, text(dice))), recorded_ms=recorded_ms)
    return dice.choice((None, odd))


def bundle(dice: random.Random, number: int) -> BundleRow:
    stamps = (dice.choice(TIMES), dice.choice(TIMES), dice.choice(TIMES))
    owners = tuple(dice.choice(("w1", "w2", text(dice))) for _ in range(3))
    results: Any = [task(dice) for _ in range(dice.randint(1, 5))]
    if dice.random() < 0.3:
        results = [result(start=dice.choice(TIMES), ms=abs(dice.choice(TIMES))) for _ in results]
    made = row(results, number=number, owners=owners, state=dice.choice(list(BundleState)), stamps=stamps)
    return replace(made, results=ResultColumns.of(made.results)) if dice.random() < 0.5 else made


@pytest.mark.parametrize("seed", range(40))
def test_any_rows_make_a_page(tmp_path: Path, seed: int) -> None:
    """Any rows make a page of bounded size, and nothing in it can move a cursor, turn text around or end a script."""
    dice = random.Random(seed)
    the_job = job(ranges=dice.randint(1, 2), estimate=dice.randrange(10), cancelled_ms=dice.choice((None, EVENT_MS)))
    rows = [bundle(dice, number) for number in range(dice.randrange(6))]
    reports = [report(dice.randrange(20), bundles=dice.randrange(8))][: dice.randint(0, 1)]
    workers = [worker(dice.choice(("w1", text(dice))), slots=dice.choice((0, 1, 4)))][: dice.randint(0, 1)]
    recorded, store = Recorded(the_job, rows, reports, workers), FolderStore(tmp_path)
    records = Records(recorded, store)  # type: ignore[arg-type]  # it is only read
    facts = gather(FoundJob(the_job, records), ManualClock(), shipped_prices(), 86_400, lambda _: None)
    html = page(facts, store).html
    assert len(html.encode()) < MOST_BYTES
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\u2028\ud800-\udfff]", html)
    assert html.count("</script>") == 2
    json.loads(html.partition('id="data">')[2].partition("</script>")[0])
