import pytest

from tests.support.manual_clock import ManualClock


def test_both_times_advance_together() -> None:
    """Wall and monotonic time stand still but for advance and sleep."""
    clock = ManualClock(now_ms=1_000)
    clock.advance(1.5)
    clock.sleep(2)
    assert (clock.now_ms(), clock.monotonic_s()) == (4_500, 3.5)


def test_time_does_not_turn_back() -> None:
    """A negative step is a programming error."""
    with pytest.raises(ValueError, match="does not turn back"):
        ManualClock().advance(-1)
