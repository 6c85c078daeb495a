"""Ticks of axes: round, few, and in place."""

import pytest

from cli.report.axes import LogAxis, count_ticks, count_top, elapsed, time_ticks


@pytest.mark.parametrize("length_s", [0.004, 0.7, 1.9, 59, 61, 3_600, 100_000, 3e6, 4e7])
def test_times_have_few_ticks_within_the_axis(length_s: float) -> None:
    """From milliseconds to years an axis has two to seven ticks, the first at its begin, none beyond its end."""
    ticks = time_ticks(length_s)
    assert 2 <= len(ticks) <= 7
    assert (ticks[0].at, ticks[0].label) == (0, "0")
    assert all(tick.at <= 100 for tick in ticks)
    assert len({tick.label for tick in ticks}) == len(ticks)


def test_times_are_said_as_short_as_they_can_be() -> None:
    """The unit is the one in which the number is whole."""
    said = [elapsed(seconds) for seconds in (0, 0.05, 0.5, 5, 90, 120, 7_200, 172_800)]
    assert said == ["0", "50 ms", "500 ms", "5 s", "1 min 30 s", "2 min", "2 h", "2 d"]


@pytest.mark.parametrize("most", [0, 0.3, 1, 2, 3, 4, 5, 7, 8, 99, 101, 1_234, 5e6])
def test_counts_have_round_ticks_up_to_what_there_is(most: float) -> None:
    """The top is no less than the most, no more than thrice, and the ticks from 0 to it have short labels."""
    top = count_top(most)
    assert most <= top * 1.000001 <= max(1, 3 * most) * 1.01
    ticks = count_ticks(top)
    assert (ticks[0].at, ticks[0].label, ticks[-1].at) == (0, "0", 100)
    assert all(len(tick.label) <= 5 for tick in ticks)


def test_every_duration_falls_into_a_bin_that_holds_it() -> None:
    """A bin of a logarithmic axis begins at or below what falls into it, and ends above."""
    axis = LogAxis.over(0.05, 90_000)
    for ms in (0.05, 0.1, 1, 3.7, 10, 999.9, 1_000, 89_999):
        at = axis.at(ms)
        assert axis.edge_ms(at) <= ms * 1.000001
        assert ms < axis.edge_ms(at + 1) * 1.000001
    assert axis.at(0) == 0
    assert axis.at(1e12) == axis.bins - 1


def test_durations_that_are_all_the_same_have_an_axis() -> None:
    """One duration, however short, is drawn on an axis of a decade at least."""
    for ms in (0.0, 0.001, 1.0, 10_000.0):
        axis = LogAxis.over(ms, ms)
        assert axis.bins >= 2
        assert 0 <= axis.at(ms) < axis.bins
        assert len(axis.ticks()) >= 2
