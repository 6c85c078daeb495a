"""Which charts docs/benchmarks.md shows, from what was measured."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, log10

from bench.peers import summary
from bench.peers.charts import Axis, Panel, bars, lines
from bench.peers.measuring import Row

Picture = Callable[[Sequence[Row]], str]
_EFFICIENCY = Axis("efficiency", {0.0: "0", 0.25: "0.25", 0.5: "0.5", 0.75: "0.75", 1.0: "1"})


def threads(rows: Sequence[Row]) -> str:
    groups: dict[str, dict[str, float]] = {}
    for row in rows:
        work = str(row["work"]).replace("`", "")
        groups.setdefault(row["program"], {})[work] = summary.middle(row, summary.rate(row))
    axis = Axis("tasks a second, logarithmic", _powers(groups), logarithmic=True)
    return bars(
        "Tasks that take no time, four slots", "Tasks a second by program and work.", groups, axis, summary.number
    )


def efficiency(rows: Sequence[Row]) -> str:
    across = Axis("slots", {count: f"{count:.0f}" for count in (1.0, 4.0, 16.0, 64.0, 256.0)}, logarithmic=True)
    panels = [Panel(f"tasks of {work}", across, _EFFICIENCY, _lines(rows, work)) for work in summary.works(rows)]
    told = "The share of the slots' time that is spent in tasks, by the number of slots and the length of a task."
    return lines("Efficiency on one machine", told, panels)


def _lines(rows: Sequence[Row], work: str) -> Mapping[str, Sequence[tuple[float, float]]]:
    return {
        program: [
            (row["slots"], min(1.0, summary.efficiency(row)))
            for row in rows
            if (row["work"], row["program"]) == (work, program)
        ]
        for program in summary.programs(rows)
    }


def growth(rows: Sequence[Row]) -> str:
    def points(figure: summary.Figure) -> Mapping[str, Sequence[tuple[float, float]]]:
        return {
            program: [(row["tasks"] / 1000, summary.middle(row, figure)) for row in rows if row["program"] == program]
            for program in summary.programs(rows)
        }

    times, memory = points(summary.makespan_s), points(summary.peak_mb)
    across = Axis("thousand tasks", _even(max(row["tasks"] / 1000 for row in rows)))
    panels = [
        Panel("time", across, Axis("seconds", _even(_highest(times))), times),
        Panel("peak memory", across, Axis("MB", _even(_highest(memory))), memory),
    ]
    return lines("More tasks that take no time", "Time and peak memory by the number of tasks.", panels)


def tails(rows: Sequence[Row]) -> str:
    groups = {row["program"]: {"": summary.middle(row, summary.over_ideal(row))} for row in rows}
    axis = Axis("times the ideal", _even(max(value[""] for value in groups.values())))
    return bars(
        "Tasks of very different lengths: makespan over the ideal", "By program.", groups, axis, "{:.2f}".format
    )


def queues(rows: Sequence[Row]) -> str:
    last = {row["program"]: row for row in rows}  # of ours, the largest job
    groups = {name: {"": summary.middle(row, summary.named("usd_per_million"))} for name, row in last.items()}
    axis = Axis("USD for the calls of a million tasks", _even(max(value[""] for value in groups.values())))
    return bars("What a million tasks cost in calls", "USD by program.", groups, axis, "{:.3f}".format)


def workers(rows: Sequence[Row]) -> str:
    base = rows[0]
    sped = [
        (row["slots"], summary.middle(base, summary.makespan_s) / summary.middle(row, summary.makespan_s))
        for row in rows
    ]
    ideal = [(row["slots"], row["slots"] / base["slots"]) for row in rows]
    across = Axis("slots, four a worker", {0.0: "0"} | {float(row["slots"]): str(row["slots"]) for row in rows})
    up = Axis("times as fast as one worker", _even(ideal[-1][1]))
    panel = Panel("", across, up, {"CloudKon": sped}, ideal)
    told = "How many times as fast as one worker the same job is done by more workers; dashed: the ideal."
    return lines("More workers on the embedded cloud", told, [panel], columns=1)


PICTURES: Mapping[str, Picture] = {
    "threads": threads,
    "efficiency": efficiency,
    "growth": growth,
    "tails": tails,
    "queues": queues,
    "workers": workers,
}

SHOWS: Mapping[str, str] = {
    "threads": "Tasks a second by program and kind of line",
    "efficiency": "Efficiency by the number of slots, for four lengths of tasks",
    "growth": "Time and memory by the number of tasks",
    "tails": "Makespan over the ideal by program",
    "queues": "USD for the calls of a million tasks by program",
    "workers": "How many times as fast a job is done by more workers",
}


def _highest(series: Mapping[str, Sequence[tuple[float, float]]]) -> float:
    return max(y for points in series.values() for _, y in points)


def _even(highest: float) -> Mapping[float, str]:
    """Round marks from 0 to just above a value, six at most."""
    size = 10.0 ** floor(log10(highest))
    step = next(size * part for part in (0.2, 0.25, 0.5, 1.0, 2.0) if size * part * 5 >= highest)
    return {step * number: f"{step * number:g}" for number in range(ceil(highest / step) + 1)}


def _powers(groups: Mapping[str, Mapping[str, float]]) -> Mapping[float, str]:
    """The powers of ten around all values."""
    values = [value for group in groups.values() for value in group.values()]
    power, marks = 1.0, [1.0]
    while power < max(values):
        power *= 10
        marks.append(power)
    below = [mark for mark in marks if mark <= min(values)] or [1.0]
    return {mark: f"{mark:,.0f}" for mark in marks if mark >= below[-1]}
