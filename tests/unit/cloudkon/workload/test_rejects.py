"""What is kept of the lines that are no tasks: all of them, and no more bytes than a workload can do harm with."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from cloudkon.ledger.job import RangeReport
from cloudkon.local.store import FolderStore
from cloudkon.workload.packing import Reject
from cloudkon.workload.rejects import MOST_WITH_REASONS, NO_REASON, Rejects, read_rejects

JOB = "tasks-abcdefghijkl"
REASON = "no closing quotation; a quote inside a word is written \\' or \\\""


def written(store: FolderStore, lines: Iterable[int]) -> RangeReport:
    """Write the rejects of a range in which these lines are no tasks."""
    rejects = Rejects(store, JOB, 0)
    for line in lines:
        rejects.add(Reject(line, REASON, '"'))
    rejects.flush()
    return RangeReport(JOB, 0, tasks=0, bundles=0, rejected=rejects.count, lines=0, started_ms=0, ended_ms=0)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


@pytest.mark.parametrize("step", [1, 2], ids=["all", "every other one"])
def test_many_lines_of_one_bad_character_grow_no_further(store: FolderStore, tmp_path: Path, step: int) -> None:
    """Their reasons are kept of the first ones, and the numbers of all: a few bytes each at most."""
    lines = range(1, 200_000, step)
    report = written(store, lines)
    size_bytes = sum(path.stat().st_size for path in tmp_path.rglob("*.jsonl"))
    assert report.rejected == len(lines)
    assert size_bytes < 150 * MOST_WITH_REASONS + 10 * len(lines) * (step - 1)
    assert [reject.line for reject in read_rejects(store, report)] == list(lines)


def test_the_first_have_their_reasons_and_the_others_say_why_they_have_none(store: FolderStore) -> None:
    """Nothing is invented about a line whose reason was not kept."""
    rejects = list(read_rejects(store, written(store, range(1, MOST_WITH_REASONS + 3))))
    assert rejects[MOST_WITH_REASONS - 1] == Reject(MOST_WITH_REASONS, REASON, '"')
    assert rejects[MOST_WITH_REASONS:] == [Reject(MOST_WITH_REASONS + n, NO_REASON, "") for n in (1, 2)]


def test_several_rejects_of_one_line_are_counted_as_they_are_read(store: FolderStore) -> None:
    """Options of one header line: what is counted and what is listed agree, whether the reasons are kept or not."""
    twice = (line for line in range(1, MOST_WITH_REASONS + 10) for _ in "ab")
    report = written(store, twice)
    assert len(list(read_rejects(store, report))) == report.rejected == MOST_WITH_REASONS + 5_009
