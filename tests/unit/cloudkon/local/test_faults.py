from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloudkon.errors import UnavailableError
from cloudkon.local.faults import Fault, Faults
from tests.support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def day(clock: ManualClock, seed: int = 1, **odds: float) -> Faults:
    return Faults(seed, {Fault[name.upper()]: chance for name, chance in odds.items()}, clock)


def fates(faults: Faults, place: str, calls: int = 40) -> list[bool]:
    return [faults.happens(Fault.FAIL, place) for _ in range(calls)]


def test_odds_are_kept(clock: ManualClock) -> None:
    """What has no odds never happens, what has odds of 1 always does, and the rest about as often as it says."""
    faults = day(clock, fail=1.0, reorder=0.0, delay=0.25)
    happened = {fault: sum(faults.happens(fault, "a") for _ in range(1_000)) for fault in Fault}
    assert happened.pop(Fault.FAIL) == 1_000
    assert 200 < happened.pop(Fault.DELAY) < 300
    assert set(happened.values()) == {0}


@pytest.mark.parametrize("chance", [-0.1, 1.1])
def test_odds_that_are_none_are_refused(clock: ManualClock, chance: float) -> None:
    """A chance below 0 or above 1 is a mistake."""
    with pytest.raises(ValueError, match="odds lie between 0 and 1"):
        day(clock, fail=chance)


def test_what_happened_is_counted(clock: ManualClock) -> None:
    """Each fault is counted when it happens, and by its kind."""
    faults = day(clock, fail=1.0, duplicate=0.5)
    times = sum(faults.happens(Fault.DUPLICATE, "a") for _ in range(100))
    with pytest.raises(UnavailableError):
        faults.risk("a", int)
    assert {fault: count for fault, count in faults.injected.items() if count} == {
        Fault.DUPLICATE: times,
        Fault.FAIL: 1,
    }


def test_a_seed_is_a_fate(clock: ManualClock) -> None:
    """The same seed brings the same faults, another seed others."""
    assert fates(day(clock, 1, fail=0.5), "a") == fates(day(clock, 1, fail=0.5), "a")
    assert fates(day(clock, 1, fail=0.5), "a") != fates(day(clock, 2, fail=0.5), "a")


def test_places_do_not_disturb_each_other(clock: ManualClock) -> None:
    """What happens at one place is the same however often another was called meanwhile."""
    undisturbed = fates(day(clock, fail=0.5), "a")
    faults = day(clock, fail=0.5)
    disturbed = [fates(faults, "a", 1) + fates(faults, "b", 3) for _ in range(40)]
    assert [fate[0] for fate in disturbed] == undisturbed
    assert [fate[1] for fate in disturbed] != undisturbed


def test_threads_share_the_faults_out(clock: ManualClock) -> None:
    """Threads that draw at one place get together what one alone would have got, and every fault is counted."""
    faults = day(clock, fail=0.5)
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda _: faults.happens(Fault.FAIL, "a"), range(4_000)))
    assert sum(drawn) == faults.injected[Fault.FAIL] == sum(fates(day(clock, fail=0.5), "a", 4_000))


def test_throttling_of_one_place_lasts_until_its_time_is_over(clock: ManualClock) -> None:
    """Once throttled, a place stays so until its time is over, and others are not."""
    faults = Faults(1, {Fault.THROTTLE: 0.1}, clock, throttle_s=3.0)

    def passes(place: str) -> bool:
        try:
            return faults.risk(place, lambda: True)
        except UnavailableError:
            return False

    while passes("a"):
        pass
    assert passes("b")
    for _ in range(5):
        clock.advance(0.5)
        assert not passes("a")
    assert faults.injected[Fault.THROTTLE] >= 6
    clock.advance(3.0)
    assert any(passes("a") for _ in range(10))


def test_a_delay_passes_on_the_clock(clock: ManualClock) -> None:
    """A delayed call answers, later, and did its work before or after it waited."""
    faults = Faults(1, {Fault.DELAY: 1.0}, clock, delay_s=2.0)
    began_s = clock.monotonic_s()
    waited_before = []
    for _ in range(20):
        called_s = clock.monotonic_s()
        waited_before.append(faults.risk("a", clock.monotonic_s) > called_s)
    assert 0 < clock.monotonic_s() - began_s <= 40.0
    assert {True, False} == set(waited_before)


def test_items_break_off(clock: ManualClock) -> None:
    """What is told item by item is told in order, and breaks off sooner or later."""
    faults = day(clock, fail=1.0)
    lengths = set()
    for _ in range(100):
        heard: list[int] = []
        with pytest.raises(UnavailableError):
            deque(map(heard.append, faults.broken_off("a", iter(range(100)))), maxlen=0)
        assert heard == list(range(len(heard)))
        lengths.add(len(heard))
    assert len(lengths) > 5
