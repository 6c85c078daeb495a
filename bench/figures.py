"""What a benchmark comes to: numbers by names that end in their unit."""

import statistics
from collections.abc import Mapping, Sequence

Figures = Mapping[str, float]


def median(runs: Sequence[Figures]) -> Figures:
    """The median of each figure over several runs."""
    return {name: statistics.median(run.get(name, 0.0) for run in runs) for name in runs[0]}


def table(figures: Figures) -> str:
    """The figures as aligned text, a line each."""
    width = max(map(len, figures))
    return "\n".join(f"  {name:<{width}}  {_shown(value):>12}" for name, value in figures.items())


def _shown(value: float) -> str:
    """Whole numbers whole, all others to three or four digits."""
    if value == round(value) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.4g}"
