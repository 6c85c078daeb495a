"""Percentiles of any number of durations in bounded memory.

Buckets are log-spaced as in HdrHistogram (http://hdrhistogram.org): 256 to each power of two, so that the middle of a
bucket is within 0.2% of whatever fell into it. Durations are kept in whole microseconds.
"""

from collections import Counter
from collections.abc import Iterable

_PRECISION_BITS = 8
_MOST_US = 2**53
"""The longest duration there is; 285 years."""
_MOST_FRESH = 4096


class Histogram:
    """Counts of durations by their size: at most some 12,000 buckets, a few hundred in practice."""

    __slots__ = ("_buckets", "_count", "_fresh", "_max_us")

    def __init__(self) -> None:
        self._fresh: Counter[int] = Counter()
        """As they came, until there are too many: most are equal to others, and counting those is cheap."""
        self._buckets: Counter[int] = Counter()
        self._count = 0
        self._max_us = 0

    def add(self, value_ms: float, count: int = 1) -> None:
        """Count a duration so many times, once and up; below 0 it counts as 0."""
        self._fresh[round(value_ms * 1000)] += count
        if len(self._fresh) > _MOST_FRESH:
            self._settle()

    def add_all(self, values_ms: Iterable[float]) -> None:
        """Count many durations at once."""
        self.add_all_us([round(value_ms * 1000) for value_ms in values_ms])

    def add_all_us(self, values_us: Iterable[int]) -> None:
        """Count many durations in whole microseconds, at a fraction of the cost."""
        self._fresh.update(values_us)
        if len(self._fresh) > _MOST_FRESH:
            self._settle()

    @property
    def count(self) -> int:
        self._settle()
        return self._count

    @property
    def max_ms(self) -> float | None:
        """The longest duration, exact to the microsecond; None if there is none."""
        return self._max_us / 1000 if self.count else None

    def percentile(self, percent: float) -> float | None:
        """The nearest-rank percentile: the least duration that so many percent of all do not exceed [ms].

        Definition 1 of Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996. None if there is no duration.
        """
        if not self.count:
            return None
        rank = max(1, -int(-percent * self._count // 100))
        if rank >= self._count:
            return self._max_us / 1000
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(_middle_us(bucket), self._max_us) / 1000
        raise AssertionError("the buckets hold fewer than were counted")

    def buckets(self) -> list[tuple[float, int]]:
        """The durations, as the middle of each bucket [ms] with how many fell into it, the shortest first."""
        self._settle()
        return [(_middle_us(bucket) / 1000, self._buckets[bucket]) for bucket in sorted(self._buckets)]

    def _settle(self) -> None:
        buckets = self._buckets
        for fresh_us, count in self._fresh.items():
            value_us = min(max(fresh_us, 0), _MOST_US)
            self._max_us = max(self._max_us, value_us)
            self._count += count
            buckets[_bucket(value_us)] += count
        self._fresh.clear()


def _bucket(value_us: int) -> int:
    """Number the buckets from 0 up.

    0 1 2 ... 255 | 256 257 ... 511 | 512 514 ... 1022 | 1024 1028 ...
    exact           steps of 1        steps of 2         steps of 4
    """
    shift = max(0, value_us.bit_length() - _PRECISION_BITS - 1)
    return (shift << _PRECISION_BITS) + (value_us >> shift)


def _middle_us(bucket: int) -> float:
    shift = max(0, (bucket >> _PRECISION_BITS) - 1)
    least_us = (bucket - (shift << _PRECISION_BITS)) << shift
    return least_us + ((1 << shift) - 1) / 2
