"""Waiting for the interpreter is told from work, and from waiting for the world."""

import threading

import pytest

from ec2_worker.telemetry.slot_times import SlotTime, SlotTimes
from tests.support.manual_clock import ManualClock


@pytest.mark.parametrize(
    ("what", "slots", "spent", "waited_s"),
    [
        ("two that compute in Python", 2, SlotTime(busy_s=20, cpu_s=9.5, active_s=10), 10.5),
        ("eight that compute in Python", 8, SlotTime(busy_s=80, cpu_s=9, active_s=10), 71),
        ("one that computes in Python", 1, SlotTime(busy_s=10, cpu_s=9.9, active_s=10), 0),
        ("eight that sleep", 8, SlotTime(busy_s=80, cpu_s=0.1, active_s=10), 0),
        ("eight that wait for pages, and parse them", 8, SlotTime(busy_s=80, cpu_s=4, active_s=10), 0),
        ("two that compute outside of it", 2, SlotTime(busy_s=20, cpu_s=19.8, active_s=10), 0.2),
        ("two on a machine that is busy otherwise", 2, SlotTime(busy_s=20, cpu_s=2, active_s=10), 0),
        ("nobody", 2, SlotTime(), 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_processor_time_is_waiting_where_the_interpreter_is_always_taken(
    what: str, slots: int, spent: SlotTime, waited_s: float
) -> None:
    """Only then: a slot that waits for the world leaves the interpreter to others."""
    assert spent.waited_s(slots) == pytest.approx(waited_s), what


def test_time_in_which_several_slots_are_busy_counts_once() -> None:
    """A job is active while at least one slot runs something of it, and busy for each."""
    clock = ManualClock()
    times = SlotTimes(clock)
    with times.running("job"):
        clock.advance(1)
        with times.running("job"):
            clock.advance(2)
        clock.advance(3)
    clock.advance(10)
    with times.running("job"):
        clock.advance(4)
    spent = times.of("job")
    assert (spent.busy_s, spent.active_s, spent.running) == (12, 10, 0)
    assert times.of("another").busy_s == 0


def test_processor_time_is_that_of_the_slot_s_own_thread() -> None:
    """What another thread computes meanwhile is not counted."""
    times = SlotTimes(ManualClock())
    stop = threading.Event()
    other = threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(stop.is_set, True)])
    other.start()
    with times.running("idle"):
        other.is_alive()
    stop.set()
    other.join()
    with times.running("computing"):
        sum(range(1_000_000))
    assert times.of("idle").cpu_s < times.of("computing").cpu_s
