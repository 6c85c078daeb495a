"""A supervisor over real processes and real signals. Each process is a line or two that stands for a worker."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PRELUDE = """
import os, signal, sys
from ec2_worker.lifecycle.parent_link import ParentLink
link = ParentLink(int(sys.argv[2]))
def leave(code):
    link.announce_clean_exit()
    os._exit(code)
def on_term(act):
    signal.signal(signal.SIGTERM, act)
def say(text):
    os.write(1, f"{text} {os.getpid()}\\n".encode())
def first_time(file):
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
def rest():
    while True:
        signal.pause()
"""
DRAINS = "on_term(lambda *_: (say('drained'), leave(0))); say('up'); rest()"
STUBBORN = "on_term(lambda *_: say('deaf')); say('up'); rest()"


class Supervised:
    """The supervisor's process, and what it and its processes say."""

    def __init__(self, count: int, script: str, patience_s: float) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.support.worlds.supervising",
            str(count),
            PRELUDE + script,
            str(patience_s),
        ]
        # A session of its own, as a terminal's: a Ctrl-C there goes to all of the process group.
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
        )
        self.said: list[str] = []

    def hear(self, what: str) -> str:
        """Wait for a line that holds this; return the line."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if what in line:
                return line.rstrip()
        raise AssertionError(f"{what!r} was not said, but {self.said}")

    def pids(self, what: str, count: int) -> list[int]:
        """The processes that say this, the next so many."""
        return [int(self.hear(what).split()[-1]) for _ in range(count)]

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Hear everything to the end, of the processes too; return the exit code."""
        assert self.process.stdout is not None
        self.said += [line.rstrip() for line in self.process.stdout]
        return self.process.wait()


Start = Callable[..., Supervised]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Supervised] = []

    def begin(count: int, script: str, patience_s: float = 60.0) -> Supervised:
        started.append(Supervised(count, script, patience_s))
        return started[-1]

    yield begin
    for supervised in started:
        supervised.process.kill()  # its processes follow: their link is gone
        supervised.process.wait()
        assert supervised.process.stdout is not None
        supervised.process.stdout.close()


def test_it_ends_with_its_processes(start: Start) -> None:
    """When every process has ended by itself with 0, so does the supervisor, and starts no other."""
    supervised = start(3, "say('up'); leave(0)")
    assert supervised.end() == 0
    assert sum(line.startswith("up") for line in supervised.said) == 3


def test_the_killed_are_restarted_and_named(start: Start) -> None:
    """A killed process is told in one line, with its signal and the likely cause, and another takes its place."""
    supervised = start(2, DRAINS)
    first, second = supervised.pids("up", 2)
    os.kill(first, signal.SIGKILL)
    line = supervised.hear("SIGKILL")
    assert f"(pid {first}) was killed by SIGKILL (probably out of memory) after" in line
    (third,) = supervised.pids("up", 1)
    assert third not in (first, second)
    supervised.send(signal.SIGTERM)
    assert sorted(supervised.pids("drained", 2)) == sorted([second, third])
    assert supervised.end() == 0


def test_a_task_that_exits_does_not_end_the_work(start: Start, tmp_path: Path) -> None:
    """os._exit(0) from within a task is a death like any other."""
    supervised = start(1, f"first_time({str(tmp_path / 'once')!r}) and os._exit(0); leave(0)")
    assert supervised.end() == 0
    assert any("ended with exit code 0 in the midst of its work" in line for line in supervised.said)


def test_one_sigterm_reaches_every_process_once(start: Start) -> None:
    """The supervisor forwards SIGTERM, waits for all, and ends with 0."""
    supervised = start(3, DRAINS)
    pids = supervised.pids("up", 3)
    supervised.send(signal.SIGTERM)
    assert sorted(supervised.pids("drained", 3)) == sorted(pids)
    assert supervised.end() == 0


def test_ctrl_c_reaches_the_processes_as_one_sigterm(start: Start) -> None:
    """A terminal signals the whole process group; the processes are not of it, and hear from the supervisor alone."""
    supervised = start(2, "signal.signal(signal.SIGINT, lambda *_: say('interrupted')); " + DRAINS)
    pids = supervised.pids("up", 2)
    os.killpg(supervised.process.pid, signal.SIGINT)
    assert sorted(supervised.pids("drained", 2)) == sorted(pids)
    assert supervised.end() == 0
    assert not any("interrupted" in line for line in supervised.said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_all_at_once(start: Start, number: signal.Signals) -> None:
    """Who does not heed the first is killed by the second; the exit code tells the signal, as shells do."""
    supervised = start(2, STUBBORN)
    supervised.pids("up", 2)
    supervised.send(number)
    supervised.pids("deaf", 2)
    supervised.send(number)
    assert supervised.end() == 128 + number
    assert any("their leases lapse" in line for line in supervised.said)


def test_a_drain_that_does_not_end_is_ended(start: Start) -> None:
    """A process that is deaf to SIGTERM, stuck in native code, is killed when the patience is over."""
    supervised = start(2, STUBBORN, patience_s=0.2)
    supervised.pids("up", 2)
    supervised.send(signal.SIGTERM)
    assert supervised.end() == 1
    assert any("did not drain in time" in line for line in supervised.said)


def test_processes_drain_when_their_supervisor_is_killed(start: Start) -> None:
    """Nobody outlives the supervisor unsupervised: the link is cut by the operating system."""
    supervised = start(2, "link.watch(lambda: (say('orphaned'), os._exit(0))); say('up'); rest()")
    pids = supervised.pids("up", 2)
    supervised.send(signal.SIGKILL)
    assert sorted(supervised.pids("orphaned", 2)) == sorted(pids)


def test_who_asks_to_be_replaced_is_replaced(start: Start, tmp_path: Path) -> None:
    """75 with a clean exit means another, at once."""
    supervised = start(1, f"leave(75 if first_time({str(tmp_path / 'once')!r}) else 0)")
    assert supervised.end() == 0
    assert any("(it asked to be replaced)" in line and "Another starts in 0.0 s." in line for line in supervised.said)


@pytest.mark.parametrize("code", [2, 69])
def test_what_no_restart_would_heal_ends_the_supervisor(start: Start, code: int) -> None:
    """Refused settings and a sick machine are passed on, and the other processes drain."""
    supervised = start(1, f"leave({code})")
    assert supervised.end() == code


def test_a_refusal_drains_the_others(start: Start, tmp_path: Path) -> None:
    """The process that could start is told to drain as well."""
    first = tmp_path / "first"
    script = f"""
if not first_time({str(first)!r}):
    while not os.path.exists({str(first)!r} + ".up"):
        os.sched_yield()
    leave(2)
on_term(lambda *_: (say("drained"), leave(0)))
open({str(first)!r} + ".up", "w").close()
rest()
"""
    supervised = start(2, script)
    supervised.pids("drained", 1)
    assert supervised.end() == 2
