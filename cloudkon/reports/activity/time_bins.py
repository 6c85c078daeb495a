"""Counts over time in bins of equal width, whose number stays bounded: when they do not suffice, pairs are merged.

The width is a power of two in milliseconds, so that a merged bin is exactly the sum of two.
"""

from array import array
from collections.abc import Sequence

MOST_BINS = 512


class TimeBins:
    """Bins from an origin on, shared by any number of series, so that all of them have the same width."""

    def __init__(self, origin_ms: int, most: int = MOST_BINS) -> None:
        self.origin_ms = origin_ms
        self.used = 0
        """How many bins hold anything."""
        self._most = most
        self._shift = 0
        self._series: list[array[float]] = []

    @property
    def width_ms(self) -> int:
        return 1 << self._shift

    def new_series(self) -> "array[float]":
        """Make a series of zeros. It belongs to these bins, which merge its pairs when they are widened."""
        made = array("d", bytes(8 * self._most))
        self._series.append(made)
        return made

    def at(self, ms: float) -> int:
        """The bin of a moment, after the bins were widened as far as it takes; what was before the origin is at it."""
        passed = max(0, int(ms) - self.origin_ms)
        while passed >> self._shift >= self._most:
            self._widen()
        found = passed >> self._shift
        self.used = max(self.used, found + 1)
        return found

    def passed(self, moments_ms: Sequence[float]) -> list[float]:
        """The moments after the origin [ms]; what was before it counts at it, for clocks differ."""
        origin_ms = self.origin_ms
        if min(moments_ms) >= origin_ms:
            return [ms - origin_ms for ms in moments_ms]
        return [max(0.0, ms - origin_ms) for ms in moments_ms]

    def places(self, passed_ms: Sequence[float]) -> Sequence[int]:
        """The bins of moments after the origin, none of them before it; those of one bundle mostly share one."""
        last = self.at(self.origin_ms + max(passed_ms))
        if self.at(self.origin_ms + min(passed_ms)) == last:
            return (last,)
        shift = self._shift
        return [int(ms) >> shift for ms in passed_ms]

    def _widen(self) -> None:
        self._shift += 1
        self.used = (self.used + 1) // 2
        for series in self._series:
            half = [series[at] + series[at + 1] for at in range(0, self._most, 2)]
            series[:] = array("d", [*half, *[0.0] * (self._most - len(half))])


class Counts:
    """How many events fell into each bin."""

    def __init__(self, bins: TimeBins) -> None:
        self._bins = bins
        self._counts = bins.new_series()

    def add(self, ms: float, count: int = 1) -> None:
        at = self._bins.at(ms)
        self._counts[at] += count

    def add_all(self, moments_ms: Sequence[float]) -> None:
        """Count many at once."""
        counts = self._counts
        places = self._bins.places(self._bins.passed(moments_ms))
        if len(places) == 1:
            counts[places[0]] += len(moments_ms)
            return
        for at in places:
            counts[at] += 1

    def values(self) -> list[float]:
        """One value for each bin that is used."""
        return list(self._counts[: self._bins.used])


class Load:
    """How many intervals were going on, on average over each bin.

    Up to a moment T all intervals together have lasted  sum(T - start, of those begun) - sum(T - end, of those ended).
    So each bin keeps the number and the sum of the starts and of the ends in it, and the average follows exactly,
    whatever an interval's length, with a constant cost for each.
    """

    def __init__(self, bins: TimeBins) -> None:
        self._bins = bins
        self._counts = bins.new_series()
        """Starts less ends."""
        self._sums = bins.new_series()
        """The starts' times less the ends' times, after the origin [ms]."""

    def add(self, start_ms: float, end_ms: float, times: int = 1) -> None:
        """Add one interval, or several that are the same."""
        self.add_all([start_ms] * times, [max(start_ms, end_ms)] * times)

    def add_all(self, starts_ms: Sequence[float], ends_ms: Sequence[float]) -> None:
        """Add many intervals; no end is before its start."""
        for sign, moments in ((1, starts_ms), (-1, ends_ms)):
            self._put(sign, self._bins.passed(moments))

    def _put(self, sign: int, passed_ms: Sequence[float]) -> None:
        counts, sums = self._counts, self._sums
        places = self._bins.places(passed_ms)
        if len(places) == 1:
            counts[places[0]] += sign * len(passed_ms)
            sums[places[0]] += sign * sum(passed_ms)
            return
        for at, ms in zip(places, passed_ms, strict=True):
            counts[at] += sign
            sums[at] += sign * ms

    def values(self) -> list[float]:
        """The average number in each bin that is used."""
        width_ms, going_on, summed_ms, before_ms = self._bins.width_ms, 0.0, 0.0, 0.0
        values = []
        for at in range(self._bins.used):
            going_on += self._counts[at]
            summed_ms += self._sums[at]
            lasted_ms = (at + 1) * width_ms * going_on - summed_ms
            values.append(max(0.0, (lasted_ms - before_ms) / width_ms))
            before_ms = lasted_ms
        return values
