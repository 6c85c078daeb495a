"""How many tasks travel together."""

import pytest

from cloudkon.workload.planning import MAX_BUNDLE_TASKS, STAYING, Options, Sample, bundle_size


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
