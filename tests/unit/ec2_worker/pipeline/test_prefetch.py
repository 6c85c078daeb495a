"""How much a worker asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2_worker.pipeline.prefetch import WorkEstimate, bundles_wanted

BACKLOG_S = 1.0


def wanted(estimate: WorkEstimate, *, slots: int = 4, idle: int = 0, waiting: int = 0) -> int:
    return bundles_wanted(estimate, slots=slots, idle=idle, waiting=waiting, backlog_s=BACKLOG_S)


def test_one_bundle_until_one_was_seen() -> None:
    """A worker that knows nothing of the work asks for one bundle, however many slots are idle."""
    assert wanted(WorkEstimate(), slots=64, idle=64) == 1


def test_one_for_each_idle_slot_before_anything_was_measured() -> None:
    """Bundles of one task, none of which has ended: one is asked for each idle slot, in one call."""
    assert wanted(WorkEstimate(bundle_tasks=1.0), slots=8, idle=7) == 7


def test_nothing_while_enough_waits() -> None:
    """What waits for the slots already is not asked for again."""
    assert wanted(WorkEstimate(bundle_tasks=64.0), idle=3, waiting=60) == 0


@pytest.mark.parametrize(("task_s", "expected"), [(0.000_01, 10), (0.01, 6), (0.1, 0), (1.0, 0), (30.0, 0)])
def test_a_second_of_work_and_no_more(task_s: float, expected: int) -> None:
    """Busy slots get as many whole bundles of 64 as a second of their work holds."""
    assert wanted(WorkEstimate(bundle_tasks=64.0, task_s=task_s)) == expected


@pytest.mark.parametrize(("waiting", "expected"), [(0, 10), (199, 5), (200, 5), (201, 0), (399, 0)])
def test_a_backlog_that_is_half_full_is_left_alone(waiting: int, expected: int) -> None:
    """Bundles of 40 tasks of 10 ms for four slots: five are asked for together, not one whenever one has ended."""
    assert wanted(WorkEstimate(bundle_tasks=40.0, task_s=0.01), waiting=waiting) == expected


def test_an_idle_slot_asks_whatever_waits_for_the_others() -> None:
    """Nobody stands idle for the sake of a batch."""
    assert wanted(WorkEstimate(bundle_tasks=1.0, task_s=0.01), idle=3, waiting=2) >= 1


def test_long_tasks_leave_no_backlog() -> None:
    """Tasks of minutes are asked for when a slot is idle, not before: another worker may be."""
    assert wanted(WorkEstimate(bundle_tasks=1.0, task_s=60.0), idle=0) == 0
    assert wanted(WorkEstimate(bundle_tasks=1.0, task_s=60.0), idle=2) == 2


@given(
    bundle_tasks=st.floats(1, 64),
    task_s=st.floats(0, 100),
    slots=st.integers(1, 64),
    waiting=st.integers(0, 1000),
    data=st.data(),
)
def test_the_backlog_is_bounded(
    bundle_tasks: float, task_s: float, slots: int, waiting: int, data: st.DataObject
) -> None:
    """Whatever the pace, what is asked for keeps no slot busy for more than the backlog, idle slots apart."""
    idle = data.draw(st.integers(0, slots))
    count = wanted(WorkEstimate(bundle_tasks, task_s), slots=slots, idle=idle, waiting=waiting)
    assert 0 <= count <= 10
    if count and waiting >= idle:
        assert (waiting + count * bundle_tasks - idle) * task_s <= slots * BACKLOG_S + 1e-6
    if waiting < idle:
        assert count >= 1
