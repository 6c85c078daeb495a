"""The parent's side: its queues and its ledger, for the workers in its child processes."""

import contextlib
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.running.processes.codec import decode_call, encode_answer, encode_error
from cli.running.processes.frames import receive_frame, send_frame
from cloudkon.ports import MAX_BATCH_MESSAGES, Delivery, TaskQueue

_LONGEST_ADDRESS = 100
"""Of a Unix socket: https://man7.org/linux/man-pages/man7/unix.7.html allows 108 bytes, macOS 104."""
_BACKLOG = 128
_MOST_FAILURES = 60
_SHORT_OF_FILES_S = 0.05
"""How long nobody is let in when no file can be opened: others close theirs meanwhile."""
FOR_WORKERS: Mapping[str, Container[str]] = {
    "tasks": frozenset({"receive", "delete", "hide", "send"}),
    "process": frozenset({"send"}),
    "dead_letters": frozenset({"send"}),
    "ledger": frozenset(
        {
            "announce",
            "bundles",
            "checkpoint",
            "claim",
            "claim_all",
            "complete",
            "complete_all",
            "fleet",
            "job",
            "learn_task_time",
            "lived_on",
            "pause",
            "release",
            "report_worker",
            "workers",
        }
    ),
}
"""What a worker may ask for."""


class HeldMessages:
    """A queue that knows which of its messages one worker has received and not deleted."""

    def __init__(self, queue: TaskQueue) -> None:
        self._queue = queue
        self._receipts: dict[str, None] = {}
        self.received = 0
        """How many messages it has received."""
        self._lock = threading.Lock()

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        return self._queue.send(bodies)

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        deliveries = self._queue.receive(count, wait_s, visibility_s)
        with self._lock:
            self._receipts.update(dict.fromkeys(delivery.receipt for delivery in deliveries))
            self.received += len(deliveries)
        return deliveries

    def delete(self, receipts: Sequence[str]) -> Sequence[int]:
        failed = self._queue.delete(receipts)
        with self._lock:
            for receipt in receipts:
                self._receipts.pop(receipt, None)
        return failed

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        return self._queue.hide(receipts, seconds)

    def give_back(self) -> None:
        """Let others receive at once what the worker, which is dead, held; it does not matter what has come back."""
        with self._lock:
            receipts, self._receipts = list(self._receipts), {}
        for at in range(0, len(receipts), MAX_BATCH_MESSAGES):
            self._queue.hide(receipts[at : at + MAX_BATCH_MESSAGES], 0.0)


class PortServer:
    """Answers on a socket in a folder that no other user can enter; a thread a connection.

    The first connection of a worker is the one by which the parent speaks to it: see accepted.
    """

    def __init__(
        self,
        ports_of: Callable[[str], Mapping[str, Any]],
        accepted: Callable[[str, socket.socket], None],
        verbs: Mapping[str, Container[str]] = FOR_WORKERS,
        failed: Callable[[OSError], None] = lambda _: None,
    ) -> None:
        """Failed is told once workers could not be let in for so long that it will not get better."""
        self._failed = failed
        self._verbs = verbs
        self._ports_of = ports_of
        self._accepted = accepted
        self._folder = _private_folder()
        self.address = str(self._folder / "ports")
        self._served: dict[str, list[tuple[threading.Thread, socket.socket]]] = {}
        self._gone: set[str] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.address)
        self._listener.listen(_BACKLOG)

    def start(self) -> None:
        threading.Thread(target=self._accept, name="ports", daemon=True).start()

    def hung_up(self, worker: str) -> None:
        """Wait until everything that a worker, which is dead, had asked for has been done."""
        with self._lock:
            self._gone.add(worker)  # what it sent last on a new connection is not looked at any more
            served = self._served.pop(worker, [])
        for thread, connection in served:
            with contextlib.suppress(OSError):  # closed by now
                connection.shutdown(socket.SHUT_RDWR)  # a process that it had forked may hold its end open
            thread.join()

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        failures = 0
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                failures += 1
                if self._closing.wait(_SHORT_OF_FILES_S):
                    return
                if failures == _MOST_FAILURES:
                    self._failed(error)
                continue
            failures = 0
            threading.Thread(target=self._meet, args=(connection,), daemon=True).start()

    def _meet(self, connection: socket.socket) -> None:
        name = receive_frame(connection)
        if name is None:
            connection.close()
            return
        worker = name.decode()
        with self._lock:
            if worker in self._gone:
                connection.close()
                return
            is_first = worker not in self._served
            self._served.setdefault(worker, []).append((threading.current_thread(), connection))
        if is_first:
            self._accepted(worker, connection)
        else:
            self._serve(self._ports_of(worker), connection)

    def _serve(self, ports: Mapping[str, Any], connection: socket.socket) -> None:
        with connection:
            while (message := receive_frame(connection)) is not None:
                try:
                    send_frame(connection, self._answered(ports, message))
                except OSError:
                    return

    def _answered(self, ports: Mapping[str, Any], message: bytes) -> bytes:
        try:
            port, verb, arguments, options = decode_call(message)
            if verb not in self._verbs[port]:
                raise TypeError(f"{port}.{verb} is not for workers")  # noqa: TRY301 (the answer is an error, too)
            answer = getattr(ports[port], verb)(*arguments, **options)
            return encode_answer(answer if not isinstance(answer, Iterator) else tuple(answer))
        except Exception as error:  # noqa: BLE001 (the worker raises it)
            return encode_error(error)


def _private_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="cloudkon-")  # with mode 0700
    if len(os.fsencode(folder)) < _LONGEST_ADDRESS:
        return Path(folder)
    Path(folder).rmdir()
    return Path(tempfile.mkdtemp(prefix="cloudkon-", dir="/tmp"))
