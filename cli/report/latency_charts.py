"""How long each phase of a task's way took: how many tasks took how long, and how many took no longer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.report.axes import LogAxis, Tick
from cli.terminal.units import duration
from cloudkon.reports.stats import JobReading
from cloudkon.telemetry.histogram import Histogram

_MEANING = {
    "end_to_end": "from the workload's arrival to the recorded result",
    "dispatch": "from the workload's arrival until the task's message was sent",
    "queue": "until a worker received the message",
    "claim": "until the worker had claimed the bundle",
    "wait": "until one of its slots began the task",
    "run": "the task itself",
    "record": "until the result was in the ledger",
}


@dataclass(frozen=True, slots=True)
class LatencyChart:
    """Bars in percent of the box, and the share of tasks that took no longer as a line in a box of 100 by 100."""

    id: str
    name: str
    meaning: str
    says: str
    bars: Sequence[tuple[float, float, float]]
    """Place, width, height."""
    line: str
    percentiles: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Latency:
    charts: Sequence[LatencyChart]
    x_ticks: Sequence[Tick]
    data: dict[str, Any]


def latency(reading: JobReading) -> Latency | None:
    """All phases over one axis, so that they can be compared; None while no task has run."""
    histograms = reading.totals.phases.histograms()
    known = {name: histograms[name] for name in _MEANING if histograms[name].count}
    if not known:
        return None
    buckets = {name: histogram.buckets() for name, histogram in known.items()}
    most_ms = max(durations[-1][0] for durations in buckets.values())
    least_ms = min((ms for durations in buckets.values() for ms, _ in durations if ms > 0), default=0.1)
    axis = LogAxis.over(max(least_ms, most_ms / 1e7), most_ms)
    counts = {name: _counted(durations, axis) for name, durations in buckets.items()}
    charts = [_chart(name, known[name], counts[name]) for name in known]
    edges = [float(f"{axis.edge_ms(at):.4g}") for at in range(axis.bins + 1)]
    return Latency(charts, axis.ticks(), {"edges_ms": edges, "tasks": counts})


def _counted(durations: Sequence[tuple[float, int]], axis: LogAxis) -> list[int]:
    counts = [0] * axis.bins
    for ms, count in durations:
        counts[axis.at(ms)] += count
    return counts


def _chart(name: str, histogram: Histogram, counts: Sequence[int]) -> LatencyChart:
    most, total, width = max(counts), sum(counts), 100 / len(counts)
    bars = [
        (round(at * width, 2), round(width * 0.92, 2), round(max(1.5, 100 * count / most), 2))
        for at, count in enumerate(counts)
        if count
    ]
    line, passed = ["M0 100"], 0
    for at, count in enumerate(counts):
        passed += count
        line.append(f"L{round((at + 1) * width, 2)} {round(100 - 100 * passed / total, 2)}")
    percentiles = [(f"p{percent}", duration(histogram.percentile(percent))) for percent in (50, 90, 99)]
    percentiles.append(("max", duration(histogram.max_ms)))
    told = ", ".join(f"{which} {value}" for which, value in percentiles)
    title = name.replace("_", " ").capitalize()
    return LatencyChart(name, title, _MEANING[name], f"{title}: {told}.", bars, "".join(line), percentiles)
