"""Starts the worker processes of a run, replaces those that die, and lets go at once of what a dead one held."""

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, BinaryIO

import click

from cli.running.processes.child import CLEAN_EXIT, DRAIN, ChildOptions
from cli.running.processes.frames import receive_frame, send_frame
from cli.running.processes.port_server import HeldMessages, PortServer
from cli.running.processes.wanted import Processes
from cloudkon.backoff import Backoff
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.own_modules import ROOT
from cloudkon.settings import Settings
from ec2_worker.lifecycle.exits import Ending, Exit
from ec2_worker.services import Services, worker_name

_LAST_WORDS_S = 1.0
"""How long what a dead process has said is waited for."""
_START = (
    "import sys; sys.path.insert(0, {root!r}); from cloudkon.own_modules import go_first; go_first(); "
    "sys.path.remove({root!r}); from cli.running.processes.child import main; main()"
)
_LOOK_S = 0.05
_MARGIN_S = 5.0
"""How much longer than its drain a process may take to end before it is killed."""
_SAME_HAND_S = 0.1
"""Whoever kills all processes of a run at once has reached this one by then: no task is blamed for that."""
_MOST_USELESS_STARTS = 3
"""So many processes in a row that died before they received anything: what they need is missing."""


class WorkerProcesses:
    """What a LOCAL run has in place of a worker: so many processes, each a worker of its own."""

    def __init__(
        self,
        services: Services,
        processes: Processes,
        settings: Settings,
        died: Callable[[str], None],
    ) -> None:
        """Died is called with the name of each worker that did, once everything that it had asked for has been done."""
        self._services = services
        self._options = ChildOptions(
            path=sys.path,
            modules=processes.modules,
            allowed=processes.allowed,
            picture_networks=processes.picture_networks,
            slots=processes.slots,
            results=str(processes.results),
            settings=asdict(settings),
        )
        self._drain_s = settings.drain_s
        self._died = died
        self._clock: Clock = services.clock
        self._server = PortServer(self._ports_of, self._accepted, failed=self._fail)
        self._places = [_Place() for _ in range(processes.count)]
        self._by_name: dict[str, _Process] = {}
        self._drains = 0
        self._failure: BaseException | None = None
        self._over = threading.Event()

    def run(self) -> None:
        """Work until drain is called and every process has ended. Raises CloudKonError if none can work.

        And what the system raises where it lets no more processes start.
        """
        self._server.start()
        watchers = [threading.Thread(target=self._guarded, args=(place,), daemon=True) for place in self._places]
        for watcher in watchers:
            watcher.start()
        told, deadline_s = 0, float("inf")
        try:
            while any(watcher.is_alive() for watcher in watchers):
                if told < self._drains:
                    told += 1
                    deadline_s = min(deadline_s, self._clock.monotonic_s() + self._drain_s + _MARGIN_S)
                    self._tell_to_drain()
                if self._clock.monotonic_s() > deadline_s:
                    self._kill_all()
                self._clock.sleep(_LOOK_S)
        finally:
            self._over.set()
            self._kill_all()
            for watcher in watchers:
                watcher.join()
            self._server.close()
        if self._failure is not None:
            raise self._failure

    def drain(self) -> None:
        """Let every process finish what fits in its time, and none begin; a second call makes them give back at once.

        Safe to call from a signal handler.
        """
        self._drains += 1

    def _ports_of(self, worker: str) -> dict[str, Any]:
        services = self._services
        return {
            "tasks": self._by_name[worker].messages,
            "process": services.process,
            "dead_letters": services.dead_letters,
            "ledger": services.ledger,
        }

    def _accepted(self, worker: str, control: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it may be dead by now
            send_frame(control, self._options.encode())
        self._by_name[worker].control = control
        if self._drains:
            self._tell_to_drain()

    def _tell_to_drain(self) -> None:
        for process in list(self._by_name.values()):
            if process.control is not None:
                with contextlib.suppress(OSError):
                    send_frame(process.control, DRAIN)

    def _kill_all(self) -> None:
        for process in list(self._by_name.values()):
            process.kill()

    def _guarded(self, place: "_Place") -> None:
        try:
            self._keep_up(place)
        except BaseException as failure:  # noqa: BLE001 (run raises it)
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        """End the run with this error; what has begun may end in time."""
        self._failure = failure
        self.drain()

    def _keep_up(self, place: "_Place") -> None:
        """Keep one process running until the run is drained."""
        while not self._drains and not self._over.is_set():
            process = self._started()
            ending = process.wait()
            self._settle(process, ending)
            if self._drains or self._over.is_set():
                return
            if process.messages.received:
                place.useless_starts = 0
            else:
                place.useless_starts += 1
            if ending.exit is not Exit.REPLACE:
                click.echo(f"A worker process {ending}; another takes its place.", err=True)
            if place.useless_starts >= _MOST_USELESS_STARTS:
                self._fail(CloudKonError(f"The worker processes can't work here: the last one {ending}."))
                return
            if place.useless_starts:
                self._clock.sleep(place.backoff.delay_s(place.useless_starts))

    def _started(self) -> "_Process":
        name = worker_name()
        process = _Process(name, self._server.address, HeldMessages(self._services.tasks))
        self._by_name[name] = process
        process.start()
        return process

    def _settle(self, process: "_Process", ending: Ending) -> None:
        """Let go of what it held, in this order: a message that is received again finds its bundle free."""
        self._server.hung_up(process.name)
        if ending.code == -signal.SIGKILL:
            self._clock.sleep(_SAME_HAND_S)
        self._died(process.name)
        process.messages.give_back()
        del self._by_name[process.name]


class _Place:
    """One of the processes, through all its restarts."""

    def __init__(self) -> None:
        self.useless_starts = 0
        self.backoff = Backoff(base_s=0.1, cap_s=1.0)


class _Process:
    """One worker's process."""

    def __init__(self, name: str, address: str, messages: HeldMessages) -> None:
        self.name = name
        self.messages = messages
        self.control: socket.socket | None = None
        self._address = address
        self._process: subprocess.Popen[bytes] | None = None
        self._teller: threading.Thread | None = None

    def start(self) -> None:
        """Start it, in a session of its own: the terminal's Ctrl-C is for the parent, which tells its children.

        On a terminal what it says goes by the parent, which draws a bar there.
        """
        is_seen = sys.stderr.isatty()
        self._process = subprocess.Popen(  # noqa: S603 (our own code)
            [sys.executable, "-c", _START.format(root=ROOT), self._address, self.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if is_seen else None,
            stderr=subprocess.STDOUT if is_seen else None,
            start_new_session=True,
        )
        if is_seen:
            self._teller = threading.Thread(target=self._tell, args=(self._process.stdout,), daemon=True)
            self._teller.start()

    def _tell(self, said: BinaryIO) -> None:
        with io.TextIOWrapper(said, errors="replace") as lines:
            for line in lines:
                sys.stderr.write(line)

    def wait(self) -> Ending:
        """Wait for its end, and end what is left in its session."""
        process = self._process
        assert process is not None  # noqa: S101 (it is started first)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # its id is nobody else's until it is waited for
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        if self._teller is not None:
            self._teller.join(_LAST_WORDS_S)  # a program that left its session may keep the pipe open
        return Ending(code, clean_exit=self._exited_cleanly())

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _exited_cleanly(self) -> bool:
        if self.control is None:
            return False
        with self.control as control:
            control.setblocking(False)
            try:
                return receive_frame(control) == CLEAN_EXIT
            except OSError:
                return False
