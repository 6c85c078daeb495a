"""What a workload will take and cost."""

import pytest

from cloudkon.costs.estimate import Estimate, Fleet, estimate
from cloudkon.costs.prices import shipped_prices
from cloudkon.workload.planning import Options, Sample

FLEET = Fleet(10, 4, "c6i.large", "on-demand")


def planned(tasks: int, task_ms: float, fleet: Fleet = FLEET, *, alone: bool = False, line_bytes: int = 8) -> Estimate:
    size_bytes = tasks * line_bytes
    seen = Sample(Options(task_ms=task_ms or None), tasks, size_bytes, whole=True, alone=alone)
    return estimate(seen, size_bytes, gzipped=False, task_ms=task_ms, fleet=fleet, prices=shipped_prices())


def test_long_tasks_take_their_time_over_the_slots_and_the_machines_dominate() -> None:
    """4,000 tasks of 36 s on 40 slots take an hour; ten machines for it cost most."""
    told = planned(4_000, 36_000)
    assert told.bound_by == "tasks"
    assert told.makespan_s == pytest.approx(3_600, rel=0.05)
    assert told.bill.dominant == "EC2"
    assert told.bill.of_service("EC2") == pytest.approx(0.85, rel=0.05)


def test_a_million_tasks_of_no_time_cost_what_was_measured() -> None:
    """A million tasks that take no time come to the 0.0227 USD of benchmarks.md, and a month of their rows."""
    told = planned(1_000_000, 0.0, Fleet(2, 4, None, "on-demand"))
    assert told.bound_by in {"workers", "dispatch"}
    kept = sum(each.usd or 0.0 for each in told.bill.charges if each.unit == "GB-months")
    assert told.bill.total_usd - kept == pytest.approx(0.0227, rel=0.15)
    assert 0 < kept < 0.005


def test_more_workers_make_bound_tasks_shorter_and_cost_no_more_machines() -> None:
    """Twice the workers take half the time: the hours of the machines stay."""
    one, two = planned(40_000, 1_000), planned(40_000, 1_000, Fleet(20, 4, "c6i.large", "on-demand"))
    assert two.makespan_s == pytest.approx(one.makespan_s / 2, rel=0.02)
    assert two.bill.of_service("EC2") == pytest.approx(one.bill.of_service("EC2"), rel=0.02)


def test_a_machine_is_billed_for_a_minute_at_least() -> None:
    """A short job on ten machines is billed for ten minutes of them."""
    told = planned(40, 10)
    assert told.bill.of_service("EC2") == pytest.approx(10 * 0.085 / 60)


def test_each_second_of_a_bundle_is_a_checkpoint() -> None:
    """Tasks that travel alone for ten seconds each are written down about ten times on the way."""
    writes = next(each for each in planned(100, 10_000, alone=True).bill.charges if each.unit == "write units")
    assert writes.quantity == 100 * (2 + 10)


def test_a_workload_without_tasks_costs_next_to_nothing() -> None:
    """An empty workload has no bundle and takes no time."""
    told = planned(0, 100)
    assert (told.tasks, told.bundles, told.makespan_s) == (0, 0, 0.0)
    assert told.as_json()["dominant"] == "EC2"
