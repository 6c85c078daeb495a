"""What happened over time: running tasks, throughput, and the moments at which something went wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.report.axes import Tick, count_ticks, count_top, time_ticks
from cli.terminal.units import counted, duration, rate
from cloudkon.reports.activity.activity import Activity

_MOST_RATES = 96
"""Of how many means the chart of results a second is drawn, about."""


@dataclass(frozen=True, slots=True)
class TimeChart:
    """An area over time, in a box of one unit a bin by 100, and perhaps a line above it."""

    id: str
    title: str
    says: str
    """What it shows, for who can't see it."""
    unit: str
    bins: int
    area: str
    line: str
    line_name: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]


@dataclass(frozen=True, slots=True)
class Marks:
    """The moments of one kind of trouble, as places in percent with how often it happened there."""

    kind: str
    name: str
    total: int
    places: Sequence[tuple[float, float, int]] = field(default_factory=tuple)


def time_charts(activity: Activity) -> list[TimeChart]:
    """Running tasks beside the slots there were, and how many results were recorded a second."""
    running, slots = activity.running.values(), activity.slots.values()
    per_s = _coarser(per_second(activity))
    if not running:
        return []
    return [
        _chart("running", "Running tasks", "tasks", running, activity, (slots, "slots there were")),
        _chart("throughput", "Results a second", "results a second", per_s, activity, ([], "")),
    ]


def per_second(activity: Activity) -> list[float]:
    """How many results were recorded a second, in each bin."""
    return [count * 1000 / activity.bins.width_ms for count in activity.recorded.values()]


def _coarser(values: list[float]) -> list[float]:
    """Means of several bins each: results are recorded in bursts, between which nothing is wrong."""
    together = max(1, len(values) // _MOST_RATES)
    groups = [values[at : at + together] for at in range(0, len(values), together)]
    return [sum(group) / together for group in groups for _ in group]


def marks(activity: Activity) -> list[Marks]:
    """Failures, retries and takeovers; a kind that did not happen is left out."""
    kinds = (
        ("failed", "failed", activity.failed),
        ("retried", "tried again", activity.retried),
        ("taken-over", "taken over", activity.taken_over),
    )
    found = [(kind, name, counts.values()) for kind, name, counts in kinds]
    return [Marks(kind, name, int(sum(values)), list(_places(values))) for kind, name, values in found if sum(values)]


def hover_data(activity: Activity) -> dict[str, Any]:
    """The figures over time, for the page's script and for whoever reads the page by program."""
    series = {
        "running": activity.running.values(),
        "slots": activity.slots.values(),
        "recorded_per_s": _coarser(per_second(activity)),
        "recorded": activity.recorded.values(),
        "failed": activity.failed.values(),
        "retried": activity.retried.values(),
        "taken_over": activity.taken_over.values(),
    }
    return {
        "origin_ms": activity.bins.origin_ms,
        "width_ms": activity.bins.width_ms,
        **{name: [_compact(value) for value in values] for name, values in series.items()},
    }


def _chart(
    id_: str,
    title: str,
    unit: str,
    values: Sequence[float],
    activity: Activity,
    line: tuple[Sequence[float], str],
) -> TimeChart:
    over, name = line
    top = count_top(max([*values, *over]))
    length_s = activity.bins.used * activity.bins.width_ms / 1000
    return TimeChart(
        id=id_,
        title=title,
        says=_says(title, unit, values, length_s),
        unit=unit,
        bins=len(values),
        area=f"M0 100{_steps(values, top)}V100Z",
        line=f"M0 100{_steps(over, top)}" if any(over) else "",
        line_name=name,
        x_ticks=time_ticks(length_s),
        y_ticks=count_ticks(top),
    )


def _says(title: str, unit: str, values: Sequence[float], length_s: float) -> str:
    most = max(values)
    at_s = values.index(most) * length_s / len(values)
    mean = sum(values) / len(values)
    told = rate if "second" in unit else lambda value: counted(round(value), unit.removesuffix("s"))
    return (
        f"{title} over {duration(length_s * 1000)}: {told(mean)} on average, "
        f"{told(most)} at most, {duration(at_s * 1000)} after the begin."
    )


def _steps(values: Sequence[float], top: float) -> str:
    return "".join(f"V{_compact(100 - 100 * value / top)}H{at + 1}" for at, value in enumerate(values))


def _places(values: Sequence[float]) -> Iterator[tuple[float, float, int]]:
    width = 100 / len(values)
    for at, value in enumerate(values):
        if value:
            yield round(at * width, 2), round(max(width, 0.35), 2), int(value)


def _compact(value: float) -> float:
    """Four digits are more than a picture shows."""
    short = float(f"{value:.4g}")
    return int(short) if short == int(short) else short
