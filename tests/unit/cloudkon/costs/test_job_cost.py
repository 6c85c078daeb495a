"""What a job has cost, and how much of it was wasted."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from cloudkon.costs.job_cost import JobCost, job_cost
from cloudkon.costs.prices import Prices, shipped_prices
from cloudkon.ledger.fleet import Instance
from cloudkon.ledger.job import WorkerReport
from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.results import TaskState
from cloudkon.reports.stats import read_job
from tests.support.data.recorded import EVENT_MS, Recorded, job, report, result, row, worker

HOUR_MS = 3_600_000
NODE = Instance("i-1", "c6i.large", "us-east-1a", "on-demand")


def cost_of(rows: Sequence[BundleRow], workers: Sequence[WorkerReport], prices: Prices | None = None) -> JobCost:
    tasks = sum(len(each.results) for each in rows)
    recorded = Recorded(job(), list(rows), [report(tasks, bundles=len(rows))], list(workers))
    return job_cost(read_job(recorded, job(), EVENT_MS + 10 * HOUR_MS), prices or shipped_prices())


def an_hour(number: int = 0, owner: str = "w1") -> BundleRow:
    """A bundle whose one task kept a worker for an hour from its claim on."""
    task = result(start=0, ms=HOUR_MS, recorded=HOUR_MS)
    return row([task], number=number, owners=(owner,), stamps=(0, 0, 0))


def machines(cost: JobCost) -> dict[str, float | None]:
    return {charge.unit: charge.usd for charge in cost.bill.charges if charge.service == "EC2"}


def test_an_instance_costs_its_hours_however_many_workers_it_has() -> None:
    """Two workers of one machine that worked for the same hour cost one hour of the machine."""
    rows = [an_hour(0, "w1"), an_hour(1, "w2")]
    cost = cost_of(rows, [replace(worker(name), instance=NODE) for name in ("w1", "w2")])
    assert machines(cost) == {"hours of c6i.large, on-demand": pytest.approx(0.085)}


def test_two_instances_of_a_type_cost_twice() -> None:
    """Machines are told apart by their ids."""
    reports = [replace(worker(name), instance=replace(NODE, id=name)) for name in ("w1", "w2")]
    assert machines(cost_of([an_hour(0, "w1"), an_hour(1, "w2")], reports)) == {
        "hours of c6i.large, on-demand": pytest.approx(0.17)
    }


def test_a_spot_instance_has_no_price_unless_somebody_names_one() -> None:
    """The spot market's price is not in the shipped list: the bill says so, and a list of one's own fills it."""
    reports = [replace(worker(), instance=replace(NODE, market="spot"))]
    cost = cost_of([an_hour()], reports)
    assert machines(cost) == {"hours of c6i.large, spot": None}
    assert [charge.service for charge in cost.bill.unpriced] == ["EC2"]
    own = replace(shipped_prices(), usd={**shipped_prices().usd, "ec2_spot.c6i.large": 0.03})
    assert machines(cost_of([an_hour()], reports, own)) == {"hours of c6i.large, spot": pytest.approx(0.03)}


def test_workers_that_did_not_say_where_they_run_are_not_priced() -> None:
    """Workers elsewhere than on EC2, and those of an earlier version, are time without a price."""
    [charge] = cost_of([an_hour()], [worker()]).bill.unpriced
    assert charge.service == "machines"
    assert charge.quantity == pytest.approx(1.0)


def test_a_job_of_this_machine_costs_nothing() -> None:
    """Nothing is billed for a LOCAL run; where the time of its slots went is told all the same."""
    local = replace(job(), source=replace(job().source, bucket="LOCAL"))
    recorded = Recorded(local, [an_hour()], [report(1)], [worker()])
    told = job_cost(read_job(recorded, local, EVENT_MS), shipped_prices()).as_json()
    assert (told["billed"], told["usd"], told["charges"]) == (False, 0, [])
    assert told["waste"]["share"] == 0.75


def test_the_time_of_the_slots_is_shared_among_what_it_was_used_for() -> None:
    """Of four slots for an hour, one ran a task that succeeded: the rest is idle, and its price is wasted."""
    cost = cost_of([an_hour()], [replace(worker(), instance=NODE)])
    assert (cost.waste.slots_s, cost.waste.succeeded_s, cost.waste.idle_s) == pytest.approx((14_400, 3_600, 10_800))
    assert cost.wasted_usd == pytest.approx(0.085 * 0.75)


def test_failed_tasks_and_repeated_runs_are_wasted() -> None:
    """A task that failed after three runs wasted its last run, and about as much for each run before."""
    failed = result(TaskState.FAILED, start=0, ms=1000, recorded=4_000, runs=3, error="no")
    succeeded = result(start=1000, ms=1000, recorded=4_000)
    waste = cost_of([row([failed, succeeded], stamps=(0, 0, 0))], [worker(slots=1)]).waste
    assert (waste.succeeded_s, waste.failed_s, waste.repeats, waste.repeated_s) == pytest.approx((1, 1, 2, 2))
    assert waste.idle_s == pytest.approx(0)
    assert waste.share == pytest.approx(0.75)


def test_a_job_without_a_result_has_no_waste_yet() -> None:
    """Where nothing ran, no share is told."""
    cost = cost_of([], [])
    assert cost.waste.share is None
    assert cost.wasted_usd is None
    assert cost.as_json()["waste"]["share"] is None
