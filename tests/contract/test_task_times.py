"""What every ledger answers about how long the tasks of a name take."""

import pytest

from cloudkon.ledger.task_times import RENEW_MS, TaskTime
from cloudkon.ports import Ledger
from tests.support.data.rows import NOW_MS


@pytest.mark.parametrize("name", ["sleep", "größe", "a#b", "x" * 200])
def test_a_time_is_read_as_it_was_learnt(ledger: Ledger, name: str) -> None:
    """By the name of its tasks, and by no other; before, nothing is known."""
    assert ledger.task_time(name) is None
    ledger.learn_task_time(TaskTime(name, 12.3456, NOW_MS))
    assert ledger.task_time(name) == TaskTime(name, 12.3456, NOW_MS)
    assert ledger.task_time(f"{name}x") is None


def test_a_row_that_is_young_is_left_alone(ledger: Ledger) -> None:
    """Many workers learn the same: within a minute the first stands, then the next, and none that comes late."""
    first, soon = TaskTime("sleep", 1.0, NOW_MS), TaskTime("sleep", 2.0, NOW_MS + RENEW_MS - 1)
    later, late = TaskTime("sleep", 3.0, NOW_MS + RENEW_MS), TaskTime("sleep", 4.0, NOW_MS - RENEW_MS)
    standing = []
    for time in (first, soon, later, late):
        ledger.learn_task_time(time)
        standing.append(ledger.task_time("sleep"))
    assert standing == [first, first, later, later]
