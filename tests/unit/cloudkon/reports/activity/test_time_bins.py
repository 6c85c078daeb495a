"""Sums over time in a bounded number of bins."""

import random

import pytest

from cloudkon.reports.activity.time_bins import Counts, Load, TimeBins

ORIGIN_MS = 1_750_000_000_000


def intervals(seed: int, count: int = 2_000) -> list[tuple[float, float]]:
    """Starts and ends after the origin, short and long ones, in no order."""
    chance = random.Random(seed)
    starts = [chance.uniform(0, 900_000) for _ in range(count)]
    return [(start, start + chance.expovariate(1 / chance.choice((5, 400, 60_000)))) for start in starts]


def average(found: list[tuple[float, float]], begin: float, end: float) -> float:
    return sum(max(0.0, min(until, end) - max(since, begin)) for since, until in found) / (end - begin)


@pytest.mark.parametrize("seed", range(5))
def test_the_load_of_each_bin_is_the_average_number_of_intervals(seed: int) -> None:
    """Whatever the intervals' lengths and order, each bin has the exact average of how many were going on."""
    bins = TimeBins(ORIGIN_MS, 64)
    load, found = Load(bins), intervals(seed)
    for at in range(0, len(found), 50):
        some = found[at : at + 50]
        load.add_all([ORIGIN_MS + since for since, _ in some], [ORIGIN_MS + until for _, until in some])
    width = bins.width_ms
    expected = [average(found, at * width, (at + 1) * width) for at in range(bins.used)]
    assert load.values() == pytest.approx(expected, abs=1e-6)


def test_an_interval_may_be_added_several_times_at_once() -> None:
    """Four slots of one worker are one interval, four times."""
    load = Load(TimeBins(0, 8))
    load.add(0, 4, 4)
    assert load.values()[:4] == [4.0] * 4


def test_no_event_is_lost_when_bins_are_widened() -> None:
    """Merging pairs of bins keeps every event, and all series of the bins have the same width."""
    bins = TimeBins(ORIGIN_MS, 16)
    early, late = Counts(bins), Counts(bins)
    early.add_all([ORIGIN_MS + at for at in range(16)])
    late.add(ORIGIN_MS + 1_000_000)
    assert (sum(early.values()), sum(late.values())) == (16, 1)
    assert len(early.values()) == len(late.values()) <= 16
    assert bins.width_ms == 65_536


def test_the_number_of_bins_stays_bounded_for_a_year() -> None:
    """A year after the first event the bins are as many as at first, however they came."""
    bins = TimeBins(0, 512)
    counts = Counts(bins)
    for day in range(365):
        counts.add_all([day * 86_400_000.0, day * 86_400_000.0 + 999])
    assert bins.used <= 512
    assert sum(counts.values()) == 730


def test_what_was_before_the_begin_counts_at_it() -> None:
    """A worker whose clock is behind may start a task before its job began."""
    bins = TimeBins(ORIGIN_MS, 8)
    counts, load = Counts(bins), Load(bins)
    counts.add(ORIGIN_MS - 5_000)
    load.add(ORIGIN_MS - 5_000, ORIGIN_MS + 2)
    assert counts.values()[0] == 1
    assert load.values()[:2] == [1.0, 1.0]
