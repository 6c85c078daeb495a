"""How many tasks travel together."""

import pytest

from cloudkon.workload.lines import Line
from cloudkon.workload.planning import MAX_BUNDLE_TASKS, STAYING, Options, Sample, bundle_size
from cloudkon.workload.planning import sample as look_at


def sample(tasks: int, *, task_bytes: int = 10, alone: bool = False, **options: float) -> Sample:
    return Sample(Options(**options), tasks, tasks * task_bytes, whole=True, alone=alone)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tasks", "slots", "worker_slots", "size"),
    [
        (2_000, 64, 64, 64),
        (2_000, 64, 4, 4),
        (2_000, 16, 16, 16),
        (100_000, 64, 4, MAX_BUNDLE_TASKS),
        (6_000, 64, 4, 5),
        (3, 2, 4, 2),
        (1_000, 256, 256, MAX_BUNDLE_TASKS),
    ],
)
def test_a_bundle_is_as_wide_as_one_workers_slots(tasks: int, slots: int, worker_slots: int, size: int) -> None:
    """Slots of a worker share a bundle, so it is never narrower than they are, nor than sixteen bundles a slot ask."""
    assert bundle_size(sample(tasks), tasks * 10, slots, worker_slots) == size


def test_other_bounds_still_hold_for_few_tasks() -> None:
    """Long lines, long tasks, tasks that travel alone and the header bound a bundle below a worker's slots."""
    assert bundle_size(sample(100, task_bytes=3_000), 300_000, 64, 64) == 2
    assert bundle_size(sample(100, task_ms=2_000), 1_000, 64, 64) == 1
    assert bundle_size(sample(100, alone=True), 1_000, 64, 64) == 1
    assert bundle_size(sample(100, bundle=3), 1_000, 64, 64) == 3


@pytest.mark.parametrize(("tasks", "size"), [(2_000, 31), (25_600, 64), (60_000, 150), (102_400, 256), (10**6, 256)])
def test_bundles_that_stay_on_a_machine_are_larger_where_the_job_is_large(tasks: int, size: int) -> None:
    """Up to 256 tasks, but above 64 no more than a four-hundredth of the job: its progress is told bundle by bundle."""
    assert bundle_size(sample(tasks), tasks * 10, 4, 4, STAYING) == size


def test_long_lines_bound_bundles_that_stay_too() -> None:
    """Four times as many bytes as a message is best filled with, so that the bundles in memory stay small."""
    assert bundle_size(sample(10**6, task_bytes=1_000), 10**9, 4, 4, STAYING) == 26


@pytest.mark.parametrize(
    ("tasks", "learnt_ms", "slots", "size"),
    [
        (3_200, 10.0, 64, 40),
        (10_000, 10.0, 64, 40),
        (1_600, 100.0, 64, 4),
        (6_400, 100.0, 64, 6),
        (200, 1.0, 64, 64),
        (100_000, 5_000.0, 64, 1),
        (100, 0.0, 64, 64),
    ],
)
def test_a_known_time_makes_bundles_that_are_worth_their_journey(
    tasks: int, learnt_ms: float, slots: int, size: int
) -> None:
    """They last for a worker's four slots 100 ms at least, and for one slot two seconds at most."""
    assert bundle_size(sample(tasks), tasks * 10, slots, 4, learnt_ms=learnt_ms) == size


def test_the_header_knows_better_than_what_was_learnt() -> None:
    """A task_ms= that a person wrote counts, and bundle= counts above all."""
    assert bundle_size(sample(3_200, task_ms=100), 32_000, 64, 4, learnt_ms=10.0) == 4
    assert bundle_size(sample(3_200, bundle=7), 32_000, 64, 4, learnt_ms=10.0) == 7


def test_short_tasks_that_stay_fill_their_bundles_also_in_small_jobs() -> None:
    """Once it is known that 256 tasks take a moment, their results are told soon enough."""
    assert bundle_size(sample(2_000), 20_000, 4, 4, STAYING, learnt_ms=0.01) == 256


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["sleep 1", '{"args": [1], "task": "sleep"}'], "sleep"),
        (["sleep 1", "noop"], ""),
        (["#cloudkon: retries=1", "noop"], "noop"),
        ([], ""),
    ],
)
def test_a_sample_has_the_one_name_of_its_tasks(lines: list[str], name: str) -> None:
    """In words and in JSON; a workload of several names has none, and so nothing is known of its times."""
    read = [Line(number, text, 10 * number) for number, text in enumerate(lines, start=1)]
    assert look_at(list(read), whole=True).name == name
