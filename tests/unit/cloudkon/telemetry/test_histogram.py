import math
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudkon.telemetry.histogram import Histogram

DURATIONS_MS = st.one_of(
    st.floats(min_value=0, max_value=1e9),
    st.integers(min_value=0, max_value=5_000).map(float),
    st.sampled_from([0.0, 0.255, 0.256, 0.511, 0.512, 1.0, 1.024]),
)

RELATIVE_ERROR = 1 / 512
"""Of a percentile, beside the half microsecond that rounding takes."""


def nearest_rank(durations_ms: Sequence[float], percent: int) -> float:
    """The definition, over a sorted list."""
    rank = max(1, math.ceil(percent * len(durations_ms) / 100))
    return sorted(durations_ms)[rank - 1]


@given(st.lists(DURATIONS_MS, min_size=1, max_size=200), st.integers(min_value=1, max_value=100))
@example([0.0], 50)
@example([1.0, 2.0], 50)
def test_percentiles_are_within_the_stated_error(durations_ms: list[float], percent: int) -> None:
    """Every percentile is within the stated error of the nearest rank in the sorted list."""
    histogram = Histogram()
    histogram.add_all(durations_ms)
    expected = nearest_rank(durations_ms, percent)
    answer = histogram.percentile(percent)
    assert answer is not None
    assert abs(answer - expected) <= expected * RELATIVE_ERROR + 0.000_51


@given(st.lists(st.tuples(DURATIONS_MS, st.integers(min_value=1, max_value=9)), min_size=1, max_size=30))
def test_adding_n_times_equals_adding_a_count_of_n(counted: list[tuple[float, int]]) -> None:
    """To add a duration n times is the same as to add it once, n times."""
    at_once, one_by_one = Histogram(), Histogram()
    for duration_ms, count in counted:
        at_once.add(duration_ms, count)
        one_by_one.add_all([duration_ms] * count)
    assert at_once.count == one_by_one.count == sum(count for _, count in counted)
    for percent in (1, 50, 90, 99, 100):
        assert at_once.percentile(percent) == one_by_one.percentile(percent)


@given(st.lists(st.integers(min_value=0, max_value=10**12), min_size=1))
def test_the_longest_duration_is_exact(durations_us: list[int]) -> None:
    """The longest duration is exact, and is the hundredth percentile."""
    histogram = Histogram()
    for duration_us in durations_us:
        histogram.add(duration_us / 1000)
    assert histogram.max_ms == histogram.percentile(100) == max(durations_us) / 1000


def test_an_empty_histogram_has_no_percentile() -> None:
    """Without a duration there is no percentile and no longest."""
    histogram = Histogram()
    assert histogram.count == 0
    assert histogram.percentile(50) is None
    assert histogram.max_ms is None


def test_a_negative_duration_counts_as_0() -> None:
    """A negative duration, of clocks that differ, counts as 0."""
    histogram = Histogram()
    histogram.add(-5.0, 2)
    histogram.add(1.0)
    assert (histogram.count, histogram.percentile(50), histogram.max_ms) == (3, 0.0, 1.0)


def test_the_number_of_buckets_is_bounded() -> None:
    """A hundred thousand different durations over nine decades stay within a few thousand buckets."""
    histogram = Histogram()
    histogram.add_all(1.000_23**step / 1000 for step in range(100_000))
    assert histogram.count == 100_000
    assert len(histogram._buckets) < 9_000
    assert not histogram._fresh


@pytest.mark.parametrize("percent", [50, 90, 99])
def test_not_above_the_longest(percent: int) -> None:
    """A percentile never exceeds the longest duration, though its bucket's middle may."""
    histogram = Histogram()
    least_of_a_bucket_ms = 2**20 / 1000
    histogram.add(least_of_a_bucket_ms, 5)
    assert histogram.percentile(percent) == least_of_a_bucket_ms
