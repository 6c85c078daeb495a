"""An instance stays while one of its workers is busy, and goes once the last has drained."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cloudkon.errors import CloudKonError, UnavailableError
from ec2_worker.lifecycle.scale_in_protection import ScaleInProtection
from tests.support.manual_clock import ManualClock

INSTANCE = "i-0123456789abcdef0"


class Group:
    """Notes what it is told; raises what it is given to raise, once."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.fails_with: CloudKonError | None = None

    def protect(self, instance: str, *, on: bool) -> None:
        self._note(f"{'protect' if on else 'expose'} {instance}")

    def let_go(self, instance: str) -> None:
        self._note(f"let go {instance}")

    def _note(self, words: str) -> None:
        if self.fails_with is not None:
            error, self.fails_with = self.fails_with, None
            raise error
        self.told.append(words.split(maxsplit=1)[0])


class Process:
    """One worker's process on the instance."""

    def __init__(self, group: Group, clock: ManualClock, folder: Path) -> None:
        self.in_flight: set[str] = set()
        in_flight: Any = self.in_flight  # all that is asked of it is its length
        self.protection = ScaleInProtection(group, clock, in_flight, 60.0, folder)
        self.protection.enter(INSTANCE)

    def look(self, *, busy: bool) -> None:
        self.in_flight.clear()
        if busy:
            self.in_flight.add("a bundle")
        self.protection.update(INSTANCE)


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


Start = Callable[[], Process]


@pytest.fixture
def start(group: Group, clock: ManualClock, tmp_path: Path) -> Iterator[Start]:
    """Starts processes on one instance, which have all ended after the test."""
    with ExitStack() as ends:

        def begin() -> Process:
            process = Process(group, clock, tmp_path)
            ends.callback(process.protection.leave, INSTANCE, ending=False)
            return process

        yield begin


@pytest.fixture
def alone(start: Start) -> Process:
    return start()


def test_busy_protects_once(group: Group, alone: Process) -> None:
    """The first work protects the instance, more work says nothing new."""
    alone.look(busy=True)
    alone.look(busy=True)
    assert group.told == ["protect"]


def test_a_lull_is_no_end(group: Group, clock: ManualClock, alone: Process) -> None:
    """The protection is given up only after a minute without work, and taken again with the next."""
    alone.look(busy=True)
    alone.look(busy=False)
    clock.advance(59)
    alone.look(busy=False)
    assert group.told == ["protect"]
    clock.advance(1)
    alone.look(busy=False)
    alone.look(busy=True)
    assert group.told == ["protect", "expose", "protect"]


def test_an_idle_start_exposes(group: Group, clock: ManualClock, alone: Process) -> None:
    """A new instance is protected by its group: one that finds no work gives that up."""
    alone.look(busy=False)
    clock.advance(60)
    alone.look(busy=False)
    assert group.told == ["expose"]


def test_one_busy_process_protects_all(group: Group, clock: ManualClock, start: Start) -> None:
    """Of two processes the idle one leaves the protection to the busy one."""
    one, other = start(), start()
    for process in (one, other):
        process.look(busy=True)
    one.look(busy=False)
    clock.advance(60)
    one.look(busy=False)
    assert group.told == ["protect", "protect"]
    other.look(busy=False)
    clock.advance(60)
    other.look(busy=False)
    assert group.told == ["protect", "protect", "expose"]


def test_a_group_that_does_not_answer_is_asked_again(group: Group, alone: Process) -> None:
    """A protection that failed is tried again at the next look."""
    group.fails_with = UnavailableError("busy")
    alone.look(busy=True)
    alone.look(busy=True)
    assert group.told == ["protect"]


def test_outside_of_a_group_nothing_is_protected(group: Group, alone: Process) -> None:
    """An instance that is of no group asks once."""
    group.fails_with = CloudKonError("not part of Auto Scaling group")
    alone.look(busy=True)
    alone.look(busy=True)
    alone.protection.leave(INSTANCE, ending=False)
    assert group.told == []


def test_a_group_that_ends_the_instance_protects_it_no_more(group: Group, alone: Process) -> None:
    """A protection that was refused, as the end had begun, keeps nobody from letting the instance go."""
    group.fails_with = CloudKonError("The instance is not in InService or EnteringStandby or Standby.")
    alone.look(busy=True)
    alone.protection.leave(INSTANCE, ending=True)
    assert group.told == ["let"]


def test_the_last_to_drain_lets_the_instance_go(group: Group, start: Start) -> None:
    """While another process still drains, the instance may not end."""
    one, other = start(), start()
    one.protection.leave(INSTANCE, ending=True)
    assert group.told == []
    other.protection.leave(INSTANCE, ending=True)
    assert group.told == ["let"]


def test_what_can_not_be_said_ends_nothing(group: Group, alone: Process) -> None:
    """A worker that can't reach its group ends as well as any."""
    group.fails_with = UnavailableError("down")
    alone.protection.leave(INSTANCE, ending=True)
    assert group.told == []


def test_a_worker_that_ends_by_itself_leaves_no_protection_behind(group: Group, alone: Process) -> None:
    """Drained for whatever reason but its instance's end, it protects the instance no longer, and ends it not."""
    alone.look(busy=True)
    alone.protection.leave(INSTANCE, ending=False)
    assert group.told == ["protect", "expose"]


def test_what_a_killed_worker_has_left_behind_its_successor_gives_up(group: Group, start: Start) -> None:
    """Nobody else would: systemd starts another in its place, which may be told to end before it was ever idle."""
    start().look(busy=True)  # and is killed: its locks are free with its process
    successor = start()
    successor.protection.folder.joinpath(f"cloudkon-{INSTANCE}.busy").unlink()
    successor.protection.leave(INSTANCE, ending=False)
    assert group.told == ["protect", "expose"]


def test_a_worker_that_has_given_the_protection_up_says_nothing_more(
    group: Group, clock: ManualClock, alone: Process
) -> None:
    """An idle worker leaves without a call."""
    alone.look(busy=False)
    clock.advance(60)
    alone.look(busy=False)
    alone.protection.leave(INSTANCE, ending=False)
    assert group.told == ["expose"]


def test_the_protection_of_a_busy_neighbour_stays(group: Group, start: Start) -> None:
    """Of two processes the one that drains leaves the protection to the other."""
    one, other = start(), start()
    for process in (one, other):
        process.look(busy=True)
    one.protection.leave(INSTANCE, ending=False)
    assert group.told == ["protect", "protect"]


def test_a_group_that_can_not_be_told_ends_nothing(group: Group, alone: Process) -> None:
    """A worker that can't give its protection up ends as well as any."""
    alone.look(busy=True)
    group.fails_with = UnavailableError("down")
    alone.protection.leave(INSTANCE, ending=False)
    assert group.told == ["protect"]


def test_a_full_disk_ends_nothing(group: Group, clock: ManualClock, tmp_path: Path) -> None:
    """Where the processes' files can't be made, the worker goes on; they are tried again at the next look."""
    folder = tmp_path / "not yet there"
    process = Process(group, clock, folder)
    process.look(busy=True)
    assert group.told == []
    folder.mkdir()
    process.look(busy=True)
    assert group.told == ["protect"]
    process.protection.leave(INSTANCE, ending=True)
    assert group.told == ["protect", "let"]


def test_a_disk_that_stays_full(group: Group, clock: ManualClock, tmp_path: Path) -> None:
    """A worker that never had its files leaves in peace."""
    process = Process(group, clock, tmp_path / "not there")
    process.protection.leave(INSTANCE, ending=True)
    assert group.told == []
