"""What a LOCAL run leaves to others on its machine."""

import os
from pathlib import Path

import pytest

from cli.system.machine_limits import (
    MachineLimits,
    RoomyQueue,
    free_bytes,
    processes_of,
    running_processes,
    size_of,
)
from cloudkon.errors import InputError
from cloudkon.local.queue import MemoryQueue
from tests.support.manual_clock import ManualClock

GIB = 2**30


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine with 2 GiB free, on which three threads run, the asking one included."""
    (tmp_path / "meminfo").write_text("MemTotal: 8388608 kB\nMemFree: 1000 kB\nMemAvailable:    2097152 kB\n")
    (tmp_path / "loadavg").write_text("0.10 0.20 0.30 3/812 4711\n")
    return tmp_path


@pytest.mark.parametrize(("text", "size"), [("500", 500), ("1k", 1024), ("1.5G", 3 * GIB // 2), ("2GiB", 2 * GIB)])
def test_a_size_is_read_with_its_unit(text: str, size: int) -> None:
    """Units are powers of 1,024, in either case, with or without their ends."""
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1", "1x", "lots", "1e3", "0x10"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is no size"):
        size_of(text)


def test_a_load_is_a_number_or_a_share_of_the_cores() -> None:
    """100% is one process a core."""
    assert processes_of("3.5") == 3.5
    assert processes_of("200%") == 2 * (os.cpu_count() or 1)
    for text in ("0", "0%", "", "four", "-1"):
        with pytest.raises(ValueError, match="is no number of processes"):
            processes_of(text)


def test_the_machine_is_asked_for_its_room(proc: Path) -> None:
    """Room is enough free memory and fewer running processes than the limit; without a limit there always is."""
    assert (free_bytes(proc), running_processes(proc)) == (2 * GIB, 2)
    asked = [("2G", None), ("2.1G", None), (None, "3"), (None, "2"), ("1G", "3"), (None, None)]
    assert [MachineLimits(None, *each).has_room(proc) for each in asked] == [True, False, True, False, True, True]


def test_this_machine_tells_both() -> None:
    """The real files are read: memory is free, and the count is no negative one."""
    assert free_bytes() > 0
    assert running_processes() >= 0


def test_nothing_is_received_without_room() -> None:
    """The queue gives one message at a time, waits while there is no room, and nothing when the wait is over."""
    clock, answers = ManualClock(), iter([False, False, True, True])
    inner = MemoryQueue(clock)
    inner.send(["a", "b", "c"])
    queue = RoomyQueue(inner, lambda: next(answers), clock)
    assert [delivery.body for delivery in queue.receive(10, 1.0, 30.0)] == ["a"]
    assert [delivery.body for delivery in queue.receive(10, 0.0, 30.0)] == ["b"]
    queue = RoomyQueue(inner, lambda: False, clock)
    assert list(queue.receive(10, 1.0, 30.0)) == []
    assert inner.depth().visible == 1


def test_what_is_not_allowed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A priority that the machine refuses is an error before anything runs; without the option nothing is asked."""

    def refused(*_: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refused)
    MachineLimits().be_nice()
    with pytest.raises(InputError, match="--nice -5: Permission denied"):
        MachineLimits(nice=-5).be_nice()
