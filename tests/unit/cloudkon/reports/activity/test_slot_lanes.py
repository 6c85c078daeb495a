"""Tasks in lanes, as they ran beside each other."""

import random
from itertools import pairwise

import pytest

from cloudkon.ledger.results import TaskState
from cloudkon.reports.activity.slot_lanes import slot_lanes
from cloudkon.reports.activity.stragglers import TaskPlace, TaskSpan


def span(line: int, start_ms: int, duration_ms: float, worker: str = "w1") -> TaskSpan:
    return TaskSpan(TaskPlace(0, line), worker, start_ms, duration_ms, TaskState.SUCCEEDED, 1)


@pytest.mark.parametrize("seed", range(4))
def test_slots_that_are_always_busy_are_lanes(seed: int) -> None:
    """What so many slots have run one after the other is put into as many lanes, none of which overlaps."""
    chance = random.Random(seed)
    spans: list[TaskSpan] = []
    for _ in range(5):
        at = float(chance.randrange(100))
        for _ in range(40):
            took = chance.uniform(5, 200)
            spans.append(span(len(spans), int(at), took))
            at += took + 1
    chance.shuffle(spans)
    lanes = slot_lanes(spans)["w1"]
    assert len(lanes) == 5
    assert sum(map(len, lanes)) == 200
    for lane in lanes:
        assert all(a.start_ms + a.duration_ms <= b.start_ms + 2 for a, b in pairwise(lane))


def test_workers_have_lanes_of_their_own() -> None:
    """Two tasks at a time on two workers are one lane each."""
    lanes = slot_lanes([span(1, 0, 10, "b"), span(2, 0, 10, "a")])
    assert {worker: len(of_worker) for worker, of_worker in lanes.items()} == {"a": 1, "b": 1}
    assert list(lanes) == ["a", "b"]


def test_no_task_makes_no_lane() -> None:
    """Nothing ran, so nothing is drawn."""
    assert slot_lanes([]) == {}
