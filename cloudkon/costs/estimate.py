"""What a workload will take, before a cent is spent: its bundles, its time, and its cost by service."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cloudkon.costs.bill import Bill, Charge, charge
from cloudkon.costs.calls import BATCH_WRITES, call_charges, dispatch_charges
from cloudkon.costs.job_cost import KEPT_MONTHS, ROW_GB
from cloudkon.costs.prices import Prices
from cloudkon.ports import MAX_BATCH_MESSAGES
from cloudkon.workload.planning import DEFAULT_SLOTS, Sample, bundle_size, ranges_of

_TASKS_S = 30_000
"""What one core dispatches and runs of tasks that take no time: docs/benchmarks.md. AWS was not measured."""
_RANGES_AT_ONCE = 8
"""How many ranges the dispatcher's function takes at the same time: dispatcher/app.py."""
_CHECKPOINT_S = 1.0
_POLL_S = 20.0
_HOUR_S = 3_600.0
_LEAST_BILLED_S = 60.0
"""https://aws.amazon.com/ec2/pricing/on-demand/: by the second, a minute at least."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The workers that are planned with, each on a machine of its own."""

    workers: int
    slots: int
    type: str | None
    market: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a workload will come to; every figure is about."""

    tasks: int
    tasks_are_exact: bool
    bundle: int
    bundles: int
    ranges: int
    task_ms: float
    fleet: Fleet
    dispatch_s: float
    makespan_s: float
    bound_by: str
    """What decides how long it takes: tasks, workers or dispatch."""
    bill: Bill
    prices: Prices

    def as_json(self) -> dict[str, Any]:
        fleet = self.fleet
        return {
            "tasks": self.tasks,
            "tasks_are_exact": self.tasks_are_exact,
            "bundle": self.bundle,
            "bundles": self.bundles,
            "ranges": self.ranges,
            "task_ms": self.task_ms,
            "workers": fleet.workers,
            "slots": fleet.workers * fleet.slots,
            "type": fleet.type,
            "market": fleet.market,
            "dispatch_s": round(self.dispatch_s, 3),
            "makespan_s": round(self.makespan_s, 3),
            "bound_by": self.bound_by,
            "prices": self.prices.as_json(),
            **self.bill.as_json(),
        }


def estimate(seen: Sample, size_bytes: int, *, gzipped: bool, task_ms: float, fleet: Fleet, prices: Prices) -> Estimate:
    """Work out time and cost of a workload from its first lines, as the dispatcher plans it.

    Not in it: the start of the machines, retries, what tasks store and download, and whatever handlers call themselves.
    """
    tasks = seen.tasks_of(size_bytes)
    bundle = bundle_size(seen, size_bytes, DEFAULT_SLOTS)
    bundles, ranges = math.ceil(tasks / bundle), ranges_of(size_bytes, gzipped=gzipped)
    dispatch_s = tasks / _TASKS_S / min(ranges, _RANGES_AT_ONCE)
    times_s = {
        "tasks": _tasks_s(tasks, bundle, task_ms / 1000, fleet),
        "workers": tasks / (_TASKS_S * fleet.workers),
        "dispatch": dispatch_s,
    }
    bound_by = max(times_s, key=lambda name: times_s[name])
    makespan_s = times_s[bound_by] + (0.0 if bound_by == "dispatch" else dispatch_s / max(1, ranges))
    charges = [
        *call_charges(_calls(bundles, bundle, task_ms / 1000, fleet, makespan_s), prices, bundles=bundles),
        *dispatch_charges(ranges + (ranges > 1), dispatch_s * min(ranges, _RANGES_AT_ONCE), prices),
        charge("S3", size_bytes / 1e9 * KEPT_MONTHS, "GB-months", prices.of("s3.gb_month")),
        charge("DynamoDB", bundles * ROW_GB * KEPT_MONTHS, "GB-months", prices.of("dynamodb.gb_month")),
        *_machines(fleet, makespan_s, prices),
    ]
    return Estimate(
        tasks,
        seen.whole,
        bundle,
        bundles,
        ranges,
        task_ms,
        fleet,
        dispatch_s,
        makespan_s,
        bound_by,
        Bill(charges),
        prices,
    )


def _tasks_s(tasks: int, bundle: int, task_s: float, fleet: Fleet) -> float:
    """The slots of a worker share its bundles, so that at the end some wait for the last one."""
    rounds = math.ceil(tasks / (fleet.workers * fleet.slots))
    last = math.ceil(min(bundle, tasks) / fleet.slots) / 2 if bundle > fleet.slots else 0
    return (rounds + last) * task_s if tasks else 0.0


def _calls(bundles: int, bundle: int, task_s: float, fleet: Fleet, makespan_s: float) -> dict[str, int]:
    """A claim and a record for each bundle, a checkpoint for each second that one runs, and messages in tens."""
    batches = math.ceil(bundles / MAX_BATCH_MESSAGES)
    bundle_s = math.ceil(bundle / fleet.slots) * task_s
    return {
        BATCH_WRITES: 2 * bundles,
        "dynamodb.UpdateItem": bundles * math.floor(bundle_s / _CHECKPOINT_S),
        "sqs.SendMessageBatch": 2 * batches,
        "sqs.ReceiveMessage": batches + fleet.workers * math.ceil(makespan_s / _POLL_S),
        "sqs.DeleteMessageBatch": batches,
        "s3.GetObject": 1,
    }


def _machines(fleet: Fleet, makespan_s: float, prices: Prices) -> Iterator[Charge]:
    if fleet.type is not None:
        unit = f"hours of {fleet.type}, {fleet.market}"
        hours = fleet.workers * max(_LEAST_BILLED_S, makespan_s) / _HOUR_S
        yield charge("EC2", hours, unit, prices.machine_hour(fleet.type, fleet.market))
