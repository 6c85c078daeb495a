"""What a job cost, at list prices: calls, machines, the dispatcher, storage; and how much of it was wasted."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cloudkon.costs.bill import Bill, Charge, charge
from cloudkon.costs.calls import call_charges, dispatch_charges
from cloudkon.costs.prices import Prices
from cloudkon.ledger.fleet import Instance
from cloudkon.ledger.job import LOCAL_BUCKET
from cloudkon.reports.stats import JobReading

KEPT_MONTHS = 1.0
"""The ledger forgets a job after 30 days; the workload is taken to be kept as long."""
ROW_GB = 1e-6
"""A bundle's row takes a KiB at most where its tasks succeed."""
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Waste:
    """Where the slots' time went: what ran tasks that succeeded, and what did not."""

    slots_s: float
    """The time of all slots of all workers, each from the worker's first claim for the job to its last record."""
    succeeded_s: float
    failed_s: float
    """Last runs of tasks that failed."""
    repeated_s: float
    """Runs before the last one, and runs whose results were not recorded, each taken as long as the average run."""
    idle_s: float
    repeats: int
    taken_over: int
    """Bundles whose worker died or gave them back: what it had run since its last checkpoint ran again."""

    @property
    def share(self) -> float | None:
        """The part of the slots' time that brought no result that succeeded; None if nothing is known."""
        return min(1.0, max(0.0, 1 - self.succeeded_s / self.slots_s)) if self.slots_s else None

    def as_json(self) -> dict[str, Any]:
        told = {name: round(value, 3) for name, value in asdict(self).items()}
        return told | {"share": None if self.share is None else round(self.share, 4)}


@dataclass(frozen=True, slots=True)
class JobCost:
    """A job's bill and waste; nothing is billed for a job that ran on somebody's own machine."""

    bill: Bill
    waste: Waste
    prices: Prices
    is_local: bool

    @property
    def wasted_usd(self) -> float | None:
        """The wasted part of what the machines cost; None if that is not known."""
        machines = [charge.usd for charge in self.bill.charges if charge.service == "EC2" and charge.usd is not None]
        return sum(machines) * self.waste.share if machines and self.waste.share is not None else None

    def as_json(self) -> dict[str, Any]:
        told = {"prices": self.prices.as_json(), "billed": not self.is_local, **self.bill.as_json()}
        return told | {"wasted_usd": self.wasted_usd, "waste": self.waste.as_json()}


def job_cost(reading: JobReading, prices: Prices) -> JobCost:
    """Price what a job has used so far.

    Not in it: what the command line reads, logs, traces, a NAT gateway, outputs in S3, and downloads to elsewhere.
    """
    is_local = reading.stats.job.source.bucket == LOCAL_BUCKET
    charges = [] if is_local else [*_service_charges(reading, prices), *_machine_charges(reading, prices)]
    return JobCost(Bill(charges), job_waste(reading), prices, is_local)


def job_waste(reading: JobReading) -> Waste:
    """Work out where the slots' time went."""
    stats, totals = reading.stats, reading.totals
    windows_s = ((worker, (until - since) / 1000) for worker, (since, until) in totals.active_ms.items())
    slots_s = sum(reading.slots_of(worker) * window_s for worker, window_s in windows_s)
    busy_s = sum(totals.busy_us_by_worker.values()) / 1e6
    repeats = max(0, stats.executions - totals.results)
    repeated_s = repeats * busy_s / totals.results if totals.results else 0.0
    slots_s = max(slots_s, busy_s + repeated_s)
    return Waste(
        slots_s=slots_s,
        succeeded_s=busy_s - totals.failed_us / 1e6,
        failed_s=totals.failed_us / 1e6,
        repeated_s=repeated_s,
        idle_s=slots_s - busy_s - repeated_s,
        repeats=repeats,
        taken_over=stats.taken_over,
    )


def _service_charges(reading: JobReading, prices: Prices) -> Iterator[Charge]:
    stats, ranges = reading.stats, reading.ranges
    yield from call_charges(stats.api_calls, prices, bundles=stats.bundles.total)
    if not stats.job.source.is_file:
        seconds = sum(report.ended_ms - report.started_ms for report in ranges) / 1000
        yield from dispatch_charges(len(ranges) + (stats.job.ranges > 1), seconds, prices)
        yield charge("S3", stats.job.size_bytes / 1e9 * KEPT_MONTHS, "GB-months", prices.of("s3.gb_month"))
    rows = stats.bundles.total * ROW_GB * KEPT_MONTHS
    yield charge("DynamoDB", rows, "GB-months", prices.of("dynamodb.gb_month"))


def _machine_charges(reading: JobReading, prices: Prices) -> Iterator[Charge]:
    """A machine counts once, however many workers it has, from its first claim for the job to its last record."""
    windows = _machine_windows(reading)
    hours: dict[tuple[str, str], float] = {}
    for machine, (since, until) in windows.items():
        kind = machine.type, machine.market
        hours[kind] = hours.get(kind, 0.0) + (until - since) / _HOUR_MS
    for (type_, market), quantity in sorted(hours.items()):
        unit = f"hours of {type_}, {market or 'on a market that is not known'}"
        yield charge("EC2", quantity, unit, prices.machine_hour(type_, market))
    elsewhere_ms = sum(
        until - since
        for worker, (since, until) in reading.totals.active_ms.items()
        if worker not in {report.worker for report in reading.workers if report.instance is not None}
    )
    yield Charge("machines", elsewhere_ms / _HOUR_MS, "worker hours elsewhere than on EC2", None)


def _machine_windows(reading: JobReading) -> Mapping[Instance, tuple[int, int]]:
    windows: dict[Instance, tuple[int, int]] = {}
    for report in reading.workers:
        active = reading.totals.active_ms.get(report.worker)
        if report.instance is not None and active is not None:
            since, until = windows.get(report.instance, active)
            windows[report.instance] = min(since, active[0]), max(until, active[1])
    return windows
