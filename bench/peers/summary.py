"""What the runs of a program come to: the median and the best."""

from collections.abc import Callable, Sequence
from statistics import median

from bench.peers.measuring import Row, Run

Figure = Callable[[Run], float]


def middle(row: Row, figure: Figure) -> float:
    return median(figure(run) for run in row["runs"])


def least(row: Row, figure: Figure) -> float:
    return min(figure(run) for run in row["runs"])


def most(row: Row, figure: Figure) -> float:
    return max(figure(run) for run in row["runs"])


def named(name: str) -> Figure:
    return lambda run: run[name]


makespan_s = named("makespan_s")
peak_mb = named("peak_mb")


def rate(row: Row) -> Figure:
    """Tasks a second."""
    return lambda run: row["tasks"] / run["makespan_s"]


def cpu_us(row: Row) -> Figure:
    """CPU a task, the start of Python included [us]."""
    return lambda run: run["cpu_s"] / row["tasks"] * 1e6


def over_ideal(row: Row) -> Figure:
    """How many times as long it took as the tasks alone."""
    return lambda run: run["makespan_s"] / row["ideal_s"]


def efficiency(row: Row) -> float:
    """The share of the slots' time that was spent in tasks, of the median run."""
    return float(row["ideal_s"] / middle(row, makespan_s))


def programs(rows: Sequence[Row]) -> Sequence[str]:
    """The names in their order, each once."""
    return list(dict.fromkeys(row["program"] for row in rows))


def works(rows: Sequence[Row]) -> Sequence[str]:
    return list(dict.fromkeys(row["work"] for row in rows))


def number(value: float) -> str:
    """Three digits are all that is worth telling of a time on a shared machine."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"
