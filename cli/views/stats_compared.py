"""The statistics of several jobs beside each other, and as rows for a spreadsheet."""

from collections.abc import Sequence
from typing import Any

from cli.terminal.tables import Side, Table
from cli.terminal.units import dollars, duration, rate
from cli.views.stats_view import state_text
from cloudkon.costs.job_cost import JobCost
from cloudkon.reports.stats import JobStats

_COUNTS = ("total", "succeeded", "failed", "rejected", "running", "pending")
_PHASES = ("dispatch", "queue", "claim", "wait", "run", "record", "end_to_end")
CSV_COLUMNS = (
    "job",
    "state",
    "begun_ms",
    *(f"tasks_{count}" for count in _COUNTS),
    "executions",
    "bundles",
    "bundles_taken_over",
    "duplicates_dropped",
    "makespan_s",
    "throughput_tasks_s",
    "efficiency",
    *(f"{phase}_{percentile}_ms" for phase in _PHASES for percentile in ("p50", "p99", "max")),
    "usd",
    "wasted_share",
)


def stats_row(stats: JobStats, cost: JobCost) -> dict[str, Any]:
    """A job's statistics without anything below them; what is not known is left out."""
    told = stats.as_json()
    kept = ("job", "state", "executions", "bundles_taken_over", "duplicates_dropped", "makespan_s")
    row: dict[str, Any] = {name: told[name] for name in (*kept, "throughput_tasks_s", "efficiency")}
    row |= {"begun_ms": stats.job.source.event_ms, "bundles": told["bundles"]["total"]}
    row |= {f"tasks_{count}": told["tasks"][count] for count in _COUNTS}
    for phase, percentiles in told["stages"].items():
        row |= {f"{phase}_{name}": ms for name, ms in percentiles.items()}
    return row | {"usd": cost.bill.total_usd, "wasted_share": cost.waste.as_json()["share"]}


def compared_table(jobs: Sequence[JobStats], costs: Sequence[JobCost]) -> Table:
    """A row a number, a column a job."""
    rows = [
        ("state", *(state_text(stats) for stats in jobs)),
        *(
            (name, *(f"{getattr(stats.tasks, name):,}" for stats in jobs))
            for name in ("succeeded", "failed", "rejected")
        ),
        ("makespan", *(duration(stats.makespan_s * 1000) for stats in jobs)),
        ("throughput", *(rate(stats.throughput_tasks_s) for stats in jobs)),
        ("efficiency", *("-" if stats.efficiency is None else f"{stats.efficiency:.1%}" for stats in jobs)),
        ("cost", *("-" if cost.is_local else f"{dollars(cost.bill.total_usd)} USD" for cost in costs)),
        ("wasted", *("-" if cost.waste.share is None else f"{cost.waste.share:.1%}" for cost in costs)),
        ("slots", *(f"{sum(worker.slots or 0 for worker in stats.workers):,}" for stats in jobs)),
    ]
    for phase in _PHASES:
        name = phase.replace("_", " ")
        rows.append((f"{name} p50", *(duration(stats.phases[phase].p50_ms) for stats in jobs)))
        rows.append((f"{name} p99", *(duration(stats.phases[phase].p99_ms) for stats in jobs)))
    numbers: list[Side] = ["right"] * len(jobs)
    return Table(
        ("", *(stats.job.id for stats in jobs)), ["left", *numbers], [row for row in rows if set(row[1:]) != {"-"}]
    )
