"""How a workload of values is dispatched."""

import random
from pathlib import Path

import pytest

from cloudkon.ledger.job import Source
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.local.store import FolderStore
from cloudkon.messages.wire import decode_bundle
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.rejects import read_rejects
from cloudkon.workload.templates.form import Form
from dispatcher import planned, ranges
from dispatcher.dispatch import Dispatcher
from tests.support.manual_clock import ManualClock


class Desk:
    """A dispatcher over memory and a folder."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = FolderStore(folder)
        self.ledger = SqliteLedger(None, guard_ms=0)
        self.queue = MemoryQueue(self.clock)
        self.dispatcher = Dispatcher(self.store, self.store, self.ledger, self.queue, self.clock)

    def dispatched(self, text: str, form: Form | None = None) -> dict[int, str]:
        """The tasks that were sent, by the numbers of their lines in the whole workload, and the rejects' reasons."""
        self.store.write("list.txt", text.encode())
        self.job = self.dispatcher.open(Source("bucket", "list.txt", "1", 1, pinned=False), form=form)
        self.dispatcher.dispatch(self.job)
        reports = self.ledger.dispatched(self.job.id)
        offsets = LineOffsets(reports)
        told: dict[int, str] = {}
        while deliveries := self.queue.receive(10, 0.0, 60.0):
            for delivery in deliveries:
                bundle = decode_bundle(delivery.body)
                before = offsets.before(bundle.key.range) or 0
                told |= {before + line: task for line, task in zip(bundle.lines, bundle.tasks, strict=True)}
        for report in reports:
            before = offsets.before(report.range) or 0
            told |= {before + reject.line: f"! {reject.reason}" for reject in read_rejects(self.store, report)}
        assert self.ledger.job(self.job.id) == self.job
        return told


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_ranges_make_the_tasks_that_the_whole_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Wherever a list or a table is cut, each line becomes the same task, under its own number."""
    dice = random.Random(seed)
    ends = ["1", '"a, b"', "", "# c", "-n"]
    rows = [f"{'x' * dice.randrange(40)}y,{dice.choice(ends)}" for _ in range(300)]
    for head in ('#cloudkon: retries=1 each="exec ls {} {/.}"', "#cloudkon: format=csv task=t\na,b"):
        text = f"{head}\n" + "\n".join(dice.choice([row, row, row, ""]) for row in rows)
        whole = Desk(tmp_path / f"whole {seed} {head[:14]}").dispatched(text)
        with monkeypatch.context() as patch:
            patch.setattr(ranges, "RANGE_BYTES", 997)
            patch.setattr(planned, "ranges_of", lambda size, *, gzipped: 1 if gzipped else -(-size // 997))
            cut = Desk(tmp_path / f"cut {seed} {head[:14]}")
            assert cut.dispatched(text) == whole
            assert cut.job.ranges > 3
            assert cut.job.retries == (1 if "retries" in head else None)


def test_a_numbered_list_is_dispatched_in_one_piece(desk: Desk) -> None:
    """A template with {#} is not cut into ranges, however large the list is."""
    text = '#cloudkon: each="t {#}"\n' + f"{'x' * 1000}\n" * 9_000
    told = desk.dispatched(text)
    assert desk.job.ranges == 1
    assert told[9_001] == "t 9000"


def test_a_broken_form_sends_nothing(desk: Desk) -> None:
    """A header that can't be used is the job's one reject, and no value of the list is run."""
    told = desk.dispatched('#cloudkon: each="t {}\n' + "shell rm -rf x\n" * 5)
    assert list(told) == [1]
    assert "quotes don't close" in told[1]


def test_bad_options_beside_a_form_are_rejected_alone(desk: Desk) -> None:
    """Another option that can't be used is listed with its line, and the values are run."""
    assert desk.dispatched('#cloudkon: nonsense=1 each="t {}"\na\n') == {
        1: "! unknown option 'nonsense'; known are bundle, task_ms, retries, timeout, logs, slots and max_fails, and "
        "for values each, task, format and colsep",
        2: "t a",
    }


def test_bundles_are_as_large_as_the_tasks_are(desk: Desk) -> None:
    """The size of a bundle follows from the tasks, not from the values, and animoto travels alone."""
    values = "".join(f"{number}\n" for number in range(200_000))
    desk.dispatched(f'#cloudkon: each="t {{}} {"x" * 1_000}"\n{values[:100_000]}')
    assert desk.job.bundle_size == 6
    desk.store.write("alone.txt", b'#cloudkon: each="animoto {}"\na\n')
    assert desk.dispatcher.open(Source("bucket", "alone.txt", "1", 1, pinned=False)).bundle_size == 1


def test_an_asked_form_is_the_job_s(desk: Desk) -> None:
    """A form that the caller names is written into the job, and every later dispatch uses it."""
    assert desk.dispatched("a\nb\n", Form(each="t {}")) == {1: "t a", 2: "t b"}
    assert desk.job.form is not None
    assert Form.parse(desk.job.form).asked() == Form(each="t {}")
    workload = ranges.Workload(desk.store, desk.job.source)
    assert [getattr(line, "text", "") for line in ranges.range_lines(workload, desk.job, 0)] == ["t a", "t b"]
