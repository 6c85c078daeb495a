"""Processes that outlive the command that started them, known by pid and start time, as pids are used again."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudkon.clock import Clock
from cloudkon.own_modules import ROOT

_POLL_S = 0.05
_PATIENCE_S = 10.0
_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process and no other; it leads its own process group."""

    pid: int
    started: str
    """When the process began, as the operating system writes it."""


def identify(pid: int) -> ProcessId | None:
    """Tell the process that has this pid now; None if none has, or only a dead one that was not waited for."""
    try:
        # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name, in brackets, may hold anything
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return _identify_by_ps(pid) if not Path("/proc/self").exists() else None
    state, start_ticks = fields[0], fields[19]
    return None if state in "ZX" else ProcessId(pid, start_ticks)


def _identify_by_ps(pid: int) -> ProcessId | None:
    """Where there is no /proc, as on macOS."""
    answer = subprocess.run(  # noqa: S603 (a number is all it is given)
        ["ps", "-o", "state=,lstart=", "-p", str(pid)],  # noqa: S607 (it is where the system has it)
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return ProcessId(pid, started.strip()) if started and not state.startswith("Z") else None


def is_alive(process: ProcessId) -> bool:
    return identify(process.pid) == process


def start_detached(command: Sequence[str], environment: Mapping[str, str], log: Path) -> ProcessId:
    """Start a command that goes on when this one ends, out of reach of the terminal's Ctrl-C."""
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 (callers pass commands of their own)
            command,
            env=dict(environment),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    child.returncode = 0  # nobody waits for it: Popen would warn of that
    return identify(child.pid) or ProcessId(child.pid, "")


def cli(*arguments: str) -> list[str]:
    """The console script as a command that is found from wherever this one was started."""
    return [sys.executable, str(Path(ROOT, "cloudkon_cli.py")), *arguments]


@contextmanager
def ignoring_signals() -> Iterator[None]:
    """Let nothing interrupt the clean-up after an interruption; of the main thread only."""
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in _INTERRUPTIONS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def end(process: ProcessId, clock: Clock) -> None:
    """End the process and its children; nothing happens if it has ended, whoever has its pid now."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        if not is_alive(process):
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, ending)
        deadline_s = clock.monotonic_s() + _PATIENCE_S
        while is_alive(process) and clock.monotonic_s() < deadline_s:
            clock.sleep(_POLL_S)


def run_to_end(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> tuple[int, str]:
    """Run a command and return its exit code and what it said; if we are interrupted, it ends with its children."""
    with subprocess.Popen(  # noqa: S603 (callers pass commands of their own)
        command,
        env=dict(environment),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as child:
        try:
            said, _ = child.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            raise
    return child.returncode, said


def run_visibly(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> int:
    """Run a command that says on stderr what it does, return its exit code; if we are interrupted, it is told to end.

    It does not get the terminal's Ctrl-C itself: what it would say then is nobody's business.
    """
    with subprocess.Popen(  # noqa: S603 (callers pass commands of their own)
        command,
        env=dict(environment),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,
    ) as child:
        try:
            return child.wait()
        except BaseException:
            with ignoring_signals():
                child.terminate()
                child.wait()
            raise
