"""Numbers over time as a line of small bars."""

from collections.abc import Sequence
from itertools import pairwise

_BARS = " ▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], most_columns: int = 48) -> str:
    """A bar for each value, or for the mean of several where there are more than columns; blank is nothing at all."""
    if not values:
        return ""
    columns = min(most_columns, len(values))
    edges = [round(at * len(values) / columns) for at in range(columns + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    top = max(means)
    return "".join(_BARS[_level(mean, top)] for mean in means)


def _level(mean: float, top: float) -> int:
    """What is something is seen, however little of the most it is."""
    return max(1, round((len(_BARS) - 1) * mean / top)) if mean > 0 else 0
