"""The list of a job's results, from rows made up."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from cloudkon.errors import NotFoundError
from cloudkon.ledger.results import TaskState
from cloudkon.reports.task_results import task_results
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.packing import Reject
from cloudkon.workload.rejects import REJECTS_A_PART, Rejects
from tests.support.data.recorded import Recorded, job, report, result, row


class Folder:
    """An ObjectStore in a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def size_bytes(self, key: str, version: str | None = None) -> int:
        return len(self.objects[key])

    def read(self, key: str, version: str | None = None, start: int = 0) -> Iterator[bytes]:
        if key not in self.objects:
            raise NotFoundError(key)
        yield self.objects[key][:7]
        yield self.objects[key][7:]

    def write(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def upload(self, key: str, source: Path) -> None:
        self.objects[key] = source.read_bytes()

    def link(self, key: str, valid_s: int | None = None) -> str:
        return key


def rejected(store: Folder, lines: list[int], range_: int = 0) -> None:
    """Write rejects as the dispatcher does."""
    rejects = Rejects(store, "tasks-abc", range_)
    for line in lines:
        rejects.add(Reject(line, "no closing quotation", f"line {line}"))
    rejects.flush()


def test_order_of_lines() -> None:
    """Outcomes come by line, rejects among them, in whatever order the ledger gives its rows."""
    rows = [row([result()] * 4, range_=r, number=n, first_line=2 + 5 * n) for r in range(3) for n in range(7)]
    random.Random(7).shuffle(rows)
    store = Folder()
    for range_ in range(3):
        rejected(store, [1, 6, 11, 16, 21, 26, 31], range_)
    reports = [report(28, range_=r, bundles=7, rejected=7, lines=36) for r in (2, 0, 1)]
    listed = list(task_results(Recorded(job(ranges=3), rows, reports), store, job(ranges=3)))
    numbers = [outcome["task"] for outcome in listed]
    assert numbers == [36 * r + line for r in range(3) for line in range(1, 36)]
    assert [outcome["task"] for outcome in listed if outcome["state"] == "rejected"][:3] == [1, 6, 11]


def test_a_result_says_number_state_duration_and_runs() -> None:
    """An outcome says number, state, duration and runs, and what else there is."""
    store = Folder()
    rejected(store, [3])
    rows = [row([result(ms=1.5, value={"a": 1}), result(TaskState.FAILED, ms=2, runs=3, error="boom"), None])]
    recorded = Recorded(job(), rows, [report(3, rejected=1)])
    ran = {"start_ms": rows[0].results[0].start_ms, "attempt": 1, "worker": "w1"}  # type: ignore[union-attr]
    assert list(task_results(recorded, store, job())) == [
        {"task": 1, "state": "succeeded", "duration_ms": 1.5, "runs": 1, "value": {"a": 1}, **ran},
        {"task": 2, "state": "failed", "duration_ms": 2.0, "runs": 3, "error": "boom", **ran},
        {
            "task": 3,
            "state": "rejected",
            "duration_ms": 0.0,
            "runs": 0,
            "error": "no closing quotation",
            "text": "line 3",
        },
    ]


def test_rejects_in_parts() -> None:
    """Rejects of several parts are all read, and no part beyond the count that was reported is asked for."""
    count = REJECTS_A_PART + 1
    store = Folder()
    rejected(store, list(range(1, count + 1)))
    store.objects["rejects/tasks-abc/00000-00002.jsonl"] = b"not asked for"
    recorded = Recorded(job(), [], [report(0, bundles=0, rejected=count)])
    assert len(list(task_results(recorded, store, job()))) == count


def test_rejects_that_the_store_let_go_are_left_out() -> None:
    """Rejects that the store has let go are left out."""
    recorded = Recorded(job(), [row([result()])], [report(1, rejected=9)])
    assert len(list(task_results(recorded, Folder(), job()))) == 1


def test_not_numbered_yet() -> None:
    """A range behind one that is still being dispatched is left out; the one being dispatched is not."""
    rows = [row([result()] * 2, range_=r) for r in range(3)]
    recorded = Recorded(job(ranges=3), rows, [report(2, range_=0), report(2, range_=2)])
    listed = task_results(recorded, Folder(), job(ranges=3))
    assert [outcome["task"] for outcome in listed] == [1, 2, 3, 4]


def test_line_numbers_follow_those_of_all_ranges_before() -> None:
    """A range's lines follow those of all ranges before it, which have to be known."""
    numbering = LineOffsets([report(0, range_=2, lines=9), report(0, range_=0, lines=5), report(0, range_=1, lines=7)])
    assert [numbering.before(range_) for range_ in range(5)] == [0, 5, 12, 21, None]
    assert LineOffsets([]).before(0) == 0
    assert LineOffsets([report(0, range_=1, lines=9)]).before(1) is None


def test_every_result_can_be_written_as_json() -> None:
    """Every outcome can be written as JSON."""
    recorded = Recorded(job(), [row([result(value=[1, "é", None])])], [report(1)])
    assert [json.loads(json.dumps(one)) for one in task_results(recorded, Folder(), job())]
