"""Runs several worker processes: restarts the dead, says why they died, drains all at one SIGTERM.

Each process leads a process group of its own, so that a terminal's Ctrl-C comes to the supervisor alone, and once.
"""

import logging
import selectors
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.signals import listening
from ec2_worker.lifecycle.exits import Ending
from ec2_worker.lifecycle.parent_link import exited_cleanly
from ec2_worker.lifecycle.restarts import Restarts

log = logging.getLogger(__name__)

SUPERVISED = "--supervised"
"""The option by which a process is told its end of the socket pair; see parent_link.py."""
_STOPPING = (signal.SIGTERM, signal.SIGINT)
_COULD_NOT_START = 71  # EX_OSERR of sysexits.h


@dataclass(frozen=True, slots=True)
class _Child:
    process: "subprocess.Popen[bytes]"
    parent_link: socket.socket


@dataclass(slots=True)
class Supervisor:
    """Runs in the main thread, for it handles signals."""

    command: Sequence[str]
    """What each process runs; the option SUPERVISED is added to it."""
    restarts: Restarts
    clock: Clock
    patience_s: float
    """How long a drain may take; what has not ended then never will by itself."""
    _children: dict[int, _Child] = field(default_factory=dict)
    """By the number of the managed process."""
    _stopped: bool = False
    _kill_s: float | None = None
    _hopeless: int | None = None

    def run(self) -> int:
        """Run the processes until all have ended for good; return the exit code."""
        with _signals() as wakeup:
            while not self.restarts.over:
                self._start_due()
                for number in self._wait(wakeup):
                    if number in _STOPPING and self._stopped:
                        log.warning("%s again: ending all processes; their leases lapse.", _name(number))
                        self._kill_all()
                        return 128 + number
                    if number in _STOPPING:
                        log.info("%s: draining all processes; a second one ends them at once.", _name(number))
                        self._stopped = True
                        self._drain()
                self._reap()
                if self._kill_s is not None and self.clock.monotonic_s() >= self._kill_s and self._children:
                    log.warning("Ending %d processes that did not drain in time.", len(self._children))
                    self._kill_all()
        return self.restarts.code if self._hopeless is None else self._hopeless

    def _start_due(self) -> None:
        for number in self.restarts.due(self.clock.monotonic_s()):
            now_s = self.clock.monotonic_s()
            self.restarts.started(number, now_s)
            try:
                self._children[number] = self._start()
            except OSError as error:
                after_s = self.restarts.ended(number, Ending(_COULD_NOT_START, clean_exit=False), now_s)
                log.error("Worker process %d can't be started: %s. Next try in %.1f s.", number + 1, error, after_s)  # noqa: TRY400 (out of memory or of processes: a traceback tells nothing)

    def _start(self) -> _Child:
        ours, its = socket.socketpair()
        with its:
            try:
                process = subprocess.Popen(  # noqa: S603 (the command is our own)
                    [*self.command, SUPERVISED, str(its.fileno())],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[its.fileno()],
                    process_group=0,
                )
            except OSError:
                ours.close()
                raise
        return _Child(process, ours)

    def _wait(self, wakeup: socket.socket) -> bytes:
        """Wait for signals, or for the time to start a process; return the signals' numbers in their order."""
        until_s = min((at_s for at_s in (self.restarts.next_due_s, self._kill_s) if at_s is not None), default=None)
        wait_s = None if until_s is None else max(0.0, until_s - self.clock.monotonic_s())
        with selectors.DefaultSelector() as selector:
            selector.register(wakeup, selectors.EVENT_READ)
            return wakeup.recv(4096) if selector.select(wait_s) else b""

    def _reap(self) -> None:
        """Take note of every process that has ended."""
        for number, child in list(self._children.items()):
            code = child.process.poll()
            if code is None:
                continue
            del self._children[number]
            with child.parent_link:
                ending = Ending(code, exited_cleanly(child.parent_link))
            now_s = self.clock.monotonic_s()
            lived_s = now_s - self.restarts.processes[number].started_s
            after_s = self.restarts.ended(number, ending, now_s)
            log.log(
                logging.INFO if ending.exit == 0 else logging.WARNING,
                "Worker process %d (pid %d) %s after %.0f s.%s",
                number + 1,
                child.process.pid,
                ending,
                lived_s,
                "" if after_s is None else f" Another starts in {after_s:.1f} s.",
            )
        if self._hopeless is None and not self.restarts.draining and (code := self.restarts.hopeless) is not None:
            log.error("Another process would fare no better here: ending with exit code %d.", code)
            self._hopeless = code
            self._drain()

    def _drain(self) -> None:
        if self.restarts.draining:
            return
        self.restarts.drain()
        self._kill_s = self.clock.monotonic_s() + self.patience_s
        for child in self._children.values():
            child.process.send_signal(signal.SIGTERM)

    def _kill_all(self) -> None:
        for child in self._children.values():
            child.process.kill()
        for child in self._children.values():
            child.process.wait()
        self._reap()


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """Yield a socket from which the numbers of the signals that came can be read, in place of being interrupted."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        before = signal.signal(signal.SIGCHLD, _noted)  # ignored or not: its children are waited for
        wakeup_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            with listening(_STOPPING, _noted):
                yield reader
        finally:
            signal.set_wakeup_fd(wakeup_before)
            signal.signal(signal.SIGCHLD, before)


def _noted(_signal: int, _frame: object) -> None:
    """Do nothing: the interpreter has written the number to the wakeup socket."""


def _name(number: int) -> str:
    return signal.Signals(number).name
