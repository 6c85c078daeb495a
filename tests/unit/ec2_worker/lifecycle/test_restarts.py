"""What a supervisor decides, without processes and without time."""

import signal

import pytest

from cloudkon.backoff import Backoff
from ec2_worker.lifecycle.exits import Ending, Exit
from ec2_worker.lifecycle.restarts import Restarts

DIED = Ending(-signal.SIGSEGV, clean_exit=False)


def wound_up(code: int) -> Ending:
    return Ending(code, clean_exit=True)


@pytest.fixture
def restarts() -> Restarts:
    """Two running processes; the backoff is its bound."""
    made = Restarts(2, Backoff(base_s=1.0, cap_s=8.0, uniform=lambda _, bound: bound), healthy_s=60.0)
    for number in made.due(0.0):
        made.started(number, 0.0)
    return made


def test_all_start_at_once() -> None:
    """Before anything has run, every process is due."""
    assert Restarts(3).due(-5.0) == [0, 1, 2]


def test_the_dead_are_started_again_after_a_while(restarts: Restarts) -> None:
    """A process that died is due once the backoff is over, and no sooner; the other goes on."""
    assert restarts.ended(1, DIED, 10.0) == 1.0
    assert (restarts.due(10.9), restarts.next_due_s) == ([], 11.0)
    assert restarts.due(11.0) == [1]
    assert not restarts.over


def test_the_backoff_doubles_up_to_a_cap(restarts: Restarts) -> None:
    """Deaths in a row wait longer and longer."""
    waits, now_s = [], 0.0
    for _ in range(5):
        waits.append(restarts.ended(0, DIED, now_s))
        now_s = restarts.processes[0].due_s
        restarts.started(0, now_s)
    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_a_healthy_while_begins_the_backoff_anew(restarts: Restarts) -> None:
    """Who lived for a minute did not die of its start."""
    for now_s in (1.0, 2.0, 3.0):
        restarts.ended(0, DIED, now_s)
        restarts.started(0, now_s)
    assert restarts.ended(0, DIED, 63.0) == 1.0
    restarts.started(0, 64.0)
    assert restarts.ended(0, DIED, 64.0 + 59.9) == 2.0


def test_who_asks_to_be_replaced_is_at_once(restarts: Restarts) -> None:
    """A request for replacement is no death: no wait, and the next death is the first."""
    assert restarts.ended(0, wound_up(Exit.REPLACE), 5.0) == 0.0
    assert restarts.due(5.0) == [0]
    restarts.started(0, 5.0)
    assert restarts.ended(0, DIED, 6.0) == 1.0


def test_all_is_over_when_all_have_ended_by_themselves(restarts: Restarts) -> None:
    """With 0 a process is through, and with the last of them the supervisor is."""
    assert restarts.ended(0, wound_up(0), 1.0) is None
    assert not restarts.over
    restarts.ended(1, wound_up(0), 2.0)
    assert (restarts.over, restarts.code, restarts.next_due_s) == (True, 0, None)


@pytest.mark.parametrize("code", [0, Exit.REFUSED, Exit.REPLACE, Exit.SICK])
def test_an_exit_that_was_not_announced_is_a_death(restarts: Restarts, code: int) -> None:
    """A task that calls os._exit can't make the supervisor stop, or restart without backoff."""
    assert restarts.ended(0, Ending(code, clean_exit=False), 1.0) == 1.0
    assert restarts.hopeless is None


def test_what_one_refuses_all_will(restarts: Restarts) -> None:
    """Settings that can't be used are no reason to try again."""
    assert restarts.ended(0, wound_up(Exit.REFUSED), 1.0) is None
    assert restarts.hopeless is Exit.REFUSED


def test_a_machine_is_sick_when_all_its_workers_are(restarts: Restarts) -> None:
    """One sick process is started again; when the last of each place was sick, the machine should be replaced."""
    assert restarts.ended(0, wound_up(Exit.SICK), 1.0) == 1.0
    assert restarts.hopeless is None
    restarts.ended(1, wound_up(Exit.SICK), 1.0)
    assert restarts.hopeless is Exit.SICK


def test_a_drain_starts_nothing_more(restarts: Restarts) -> None:
    """Who waits for a restart is not started, and who dies while draining stays dead."""
    restarts.ended(0, DIED, 1.0)
    restarts.drain()
    assert (restarts.due(99.0), restarts.over) == ([], False)
    assert restarts.ended(1, wound_up(0), 2.0) is None
    assert (restarts.over, restarts.code) == (True, 0)


@pytest.mark.parametrize(("code", "ends_with"), [(-signal.SIGTERM, 0), (-signal.SIGKILL, 1), (1, 1)])
def test_what_a_drain_comes_to(restarts: Restarts, code: int, ends_with: int) -> None:
    """A process that SIGTERM found still starting held nothing; one that died otherwise makes the drain a failure."""
    restarts.drain()
    restarts.ended(0, Ending(code, clean_exit=False), 1.0)
    restarts.ended(1, wound_up(0), 1.0)
    assert restarts.code == ends_with


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (Ending(-9, clean_exit=False), "was killed by SIGKILL (probably out of memory)"),
        (Ending(-11, clean_exit=False), "was killed by SIGSEGV (native code crashed)"),
        (Ending(-15, clean_exit=False), "was killed by SIGTERM"),
        (Ending(-99, clean_exit=False), "was killed by signal 99"),
        (Ending(0, clean_exit=True), "ended with exit code 0"),
        (Ending(75, clean_exit=True), "ended with exit code 75 (it asked to be replaced)"),
        (Ending(17, clean_exit=True), "ended with exit code 17"),
        (
            Ending(0, clean_exit=False),
            "ended with exit code 0 in the midst of its work (an error above, or a task that exits)",
        ),
    ],
)
def test_an_ending_says_why(ending: Ending, said: str) -> None:
    """Signals have names and likely causes, exit codes their meaning."""
    assert str(ending) == said
