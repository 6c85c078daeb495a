"""What a worker learns of the times of tasks, and how seldom it writes it down."""

from collections.abc import Sequence

import pytest

from cloudkon.errors import UnavailableError
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import TaskResult
from cloudkon.ledger.task_times import RENEW_MS, TaskTime
from ec2_worker.telemetry.task_times import LearntTimes
from tests.support.data.rows import failed, succeeded
from tests.support.manual_clock import ManualClock


class Ledger:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written: list[TaskTime] = []
        self.silent = False

    def learn_task_time(self, time: TaskTime) -> None:
        if self.silent:
            raise UnavailableError("The ledger does not answer.")
        self.written.append(time)

    def task_time(self, name: str) -> TaskTime | None:
        raise AssertionError("a worker reads none")


def columns(*results: TaskResult) -> ResultColumns:
    return ResultColumns.of(results)


TWO = columns(succeeded(duration_us=10_000), succeeded(duration_us=30_000))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_the_mean_of_a_bundle_is_written_once_a_minute(clock: ManualClock) -> None:
    """The first mean at the first flush, and a later one, which leans on it, a minute later."""
    ledger = Ledger()
    times = LearntTimes(ledger, clock)
    times.ended(["sleep 10", '{"task": "sleep", "args": [30]}'], TWO)
    times.flush()
    times.flush()
    clock.advance(1)
    times.ended(["sleep 40"], columns(succeeded(duration_us=40_000)))
    times.flush()
    clock.advance(RENEW_MS / 1000)
    times.flush()
    assert [(time.name, time.mean_ms) for time in ledger.written] == [("sleep", 20.0), ("sleep", 30.0)]


@pytest.mark.parametrize(
    ("lines", "results"),
    [
        (["sleep 10", "noop"], TWO),
        (["sleep 10", "sleep 30"], columns(succeeded(), failed())),
        (["x" * 201] * 2, TWO),
        (["{}", "{}"], TWO),
    ],
    ids=["two names", "a failure", "a long name", "no name"],
)
def test_nothing_is_learnt_of(clock: ManualClock, lines: Sequence[str], results: ResultColumns) -> None:
    """A bundle of several names, of failures or of a name that is no key tells nothing of the times of a name."""
    ledger = Ledger()
    times = LearntTimes(ledger, clock)
    times.ended(lines, results)
    times.flush()
    assert ledger.written == []


def test_a_ledger_that_does_not_answer_is_told_again(clock: ManualClock) -> None:
    """What could not be written is due at the next flush, and nobody else is held up by it."""
    ledger = Ledger()
    times = LearntTimes(ledger, clock)
    times.ended(["sleep 10", "sleep 30"], TWO)
    ledger.silent = True
    times.flush()
    ledger.silent = False
    times.flush()
    assert [time.mean_ms for time in ledger.written] == [20.0]
