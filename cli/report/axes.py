"""Where the ticks of an axis go, and what they say."""

import math
from dataclasses import dataclass

from cli.terminal.units import duration

_MOST_TICKS = 6
_STEPS_S = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400),
)


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place, in percent of the axis; minor ones give way where there is little room."""

    at: float
    label: str
    minor: bool = False


def elapsed(seconds: float) -> str:
    """Time since the job began, as short as it can be said."""
    if not seconds:
        return "0"
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit_s and not seconds % unit_s:
            return f"{seconds / unit_s:g} {unit}"
    return f"{seconds:g} s" if seconds < 60 else duration(seconds * 1000)


def time_ticks(length_s: float) -> list[Tick]:
    """Of an axis from the job's begin on."""
    step_s = next((step for step in _STEPS_S if length_s / step <= _MOST_TICKS), 0.0)
    if not step_s:
        step_s = 86_400.0 * math.ceil(length_s / 86_400 / _MOST_TICKS)
    count = int(length_s / step_s + 1e-9)
    return [Tick(100 * at * step_s / length_s, elapsed(round(at * step_s, 3)), bool(at % 2)) for at in range(count + 1)]


def count_top(most: float) -> float:
    """The top of an axis of counts: a round number, no less than the most."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * factor for factor in (1, 2, 2.5, 4, 5, 8, 10) if power * factor >= most * 0.999999)


def count_ticks(top: float) -> list[Tick]:
    """Of an axis of counts from 0 to a round top."""
    leading = round(top / 10 ** math.floor(math.log10(top)), 6)
    parts = int(top) if top in (1, 2) else 4 if leading in (2, 4, 8) else 5
    return [Tick(100 * at / parts, _short(top * at / parts), bool(at % 2)) for at in range(parts + 1)]


def _short(value: float) -> str:
    for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 10 * unit or (value >= unit and value == 100 * round(value / 100)):
            return f"{value / unit:g}{suffix}"
    return f"{value:g}"


@dataclass(frozen=True, slots=True)
class LogAxis:
    """A logarithmic axis of durations, of whole parts of a decade."""

    least_ms: float
    bins: int
    per_decade: int

    @classmethod
    def over(cls, least_ms: float, most_ms: float, bins: int = 48) -> "LogAxis":
        """An axis from a power of ten on that has room for both."""
        first = math.floor(math.log10(max(least_ms, 0.001)))
        decades = max(1, math.ceil(math.log10(max(most_ms, 0.002)) - first + 1e-9))
        per_decade = max(2, bins // decades)
        return cls(10.0**first, decades * per_decade, per_decade)

    def at(self, ms: float) -> int:
        """The bin of a duration."""
        place = math.log10(max(ms, self.least_ms) / self.least_ms) * self.per_decade
        return min(self.bins - 1, int(place + 1e-9))

    def edge_ms(self, at: int) -> float:
        """Where a bin begins."""
        return self.least_ms * 10 ** (at / self.per_decade)

    def ticks(self) -> list[Tick]:
        decades = self.bins // self.per_decade
        every = math.ceil(decades / 4)
        shown = range(0, decades + 1, every)
        return [
            Tick(100 * at / decades, duration(self.edge_ms(at * self.per_decade)), bool(at // every % 2))
            for at in shown
        ]
