"""All programs do the same work: the lines mean to the peers what they mean to CloudKon."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.peers import handlers, work
from bench.peers.experiments import LOCAL, QUICK_SHARE
from bench.peers.marks import Marks
from cloudkon.workload.task_line import parse_task
from tests.support.still_clock import StillClock

CASES = [case for experiment in LOCAL.values() for case in experiment(QUICK_SHARE)]
# One of each kind.
LINES = list({line.partition(" ")[0]: line for case in CASES for line in case.lines}.values())


@pytest.mark.parametrize("line", [line for line in LINES if not line.startswith(("sleep", "shell"))])
def test_a_line_calls_for_peers_what_it_calls_for_cloudkon(line: str) -> None:
    """The same line gives the same function the same words, and the value is the same."""
    task = parse_task(line)
    assert work.run_line(line) == getattr(handlers, task.name)(*task.args)


def test_a_sleeping_line_sleeps_for_peers_as_long_as_it_says() -> None:
    """Lengths are milliseconds, in words, and may have a fraction."""
    slept: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", slept.append)
        for line in ("sleep 0", "sleep 100", "sleep 12.5"):
            work.run_line(line)
    assert slept == [0.1, 0.0125]


def test_every_experiment_has_an_ideal_where_tasks_take_time() -> None:
    """What is compared with an ideal has one: no slot can do its share of the lengths in less."""
    for case in CASES:
        lengths_s = [float(line.split()[1]) / 1000 for line in case.lines if line.startswith("sleep ")]
        if sum(lengths_s):
            assert case.ideal_s == pytest.approx(max(*lengths_s, 0, sum(lengths_s) / case.slots))


@pytest.fixture
def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which this process leaves its marks."""
    monkeypatch.setenv(work.MARKS, str(tmp_path))
    work._marks.cache_clear()
    yield tmp_path
    os.close(work._marks())
    work._marks.cache_clear()


def test_marks_tell_how_many_tasks_have_run_and_in_what_time(marked: Path) -> None:
    """Each mark is counted; the time runs from a process's first mark to the last of all."""
    marks = Marks(marked)
    assert marks.count() == 0
    work.mark()
    work.mark()
    assert marks.count() == 2
    (marked / "first-other").write_text("1000.5")
    os.utime(marked / "marks", (1010.0, 1010.0))
    assert marks.took_s() == 9.5


def test_marks_that_do_not_come_are_not_waited_for_for_ever(marked: Path) -> None:
    """After the time that is granted it says how many have come."""
    work.mark()
    with pytest.raises(TimeoutError, match="1 of 2 tasks"):
        Marks(marked).wait(2, 60, StillClock())


def test_a_report_has_the_form_of_cloudkons_own(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line of a peer's output is read as that of `run LOCAL --json`."""
    work.report(3, 0.0)
    told = json.loads(capsys.readouterr().out)
    assert told["tasks"] == {"succeeded": 3}
    assert told["makespan_s"] > 0
