"""Reasons of failures, whatever the order of the rows."""

import random
from collections.abc import Sequence

import pytest

from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.results import TaskState
from cloudkon.reports.activity.failures import Failures
from cloudkon.reports.activity.stragglers import TaskPlace
from cloudkon.reports.error_groups import ErrorGroup
from cloudkon.workload.packing import Reject
from tests.support.data.recorded import result, row


def numbered(place: TaskPlace) -> int:
    return place.range * 1_000 + place.line


def groups_of(rows: Sequence[BundleRow]) -> Sequence[ErrorGroup]:
    failures = Failures()
    for each in rows:
        failures.add(each)
    failures.add_rejects(1, [Reject(7, "no closing quotation", "sleep '1")])
    return failures.groups(numbered)


def failed(item: int) -> BundleRow:
    task = result(TaskState.FAILED, error=f"item {item} is no good")
    return row([task, result(), None], range_=item % 2, number=item, first_line=item * 3)


@pytest.mark.parametrize("seed", range(3))
def test_the_examples_are_of_the_first_lines_in_any_order(seed: int) -> None:
    """The ledger gives rows in no order: the example, and the lines that are named, are always the first."""
    rows = [failed(item) for item in range(1, 40)]
    random.Random(seed).shuffle(rows)
    reason, rejected = groups_of(rows)
    assert (reason.count, reason.example, reason.lines) == (39, "item 2 is no good", [6, 12, 18, 24, 30])
    assert (rejected.state, rejected.count, rejected.lines) == ("rejected", 1, [1_007])


def test_a_job_that_went_well_has_no_reasons() -> None:
    """Successes are nobody's reason."""
    failures = Failures()
    failures.add(row([result(), None]))
    assert failures.groups(numbered) == []
