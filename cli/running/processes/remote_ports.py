"""A worker's ports, answered by its parent: each thread has a connection of its own, and each call is a message."""

import socket
import threading
from collections.abc import Callable
from typing import Any, cast

from cli.running.processes.codec import decode_answer, encode_call
from cli.running.processes.frames import receive_frame, send_frame
from cloudkon.errors import UnavailableError
from cloudkon.ports import Ledger, TaskQueue


class ParentGoneError(UnavailableError):
    """The process that owns the queue and the ledger has ended."""


class Connections:
    """Connections to the parent, a thread each, introduced by the worker's name."""

    def __init__(self, address: str, worker: str) -> None:
        self._address = address
        self._worker = worker
        self._own = threading.local()
        self._opened: list[socket.socket] = []

    def open(self) -> socket.socket:
        """A connection that nothing has been asked on."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self._address)
            send_frame(connection, self._worker.encode())
        except OSError as error:
            connection.close()
            raise ParentGoneError(f"The run's parent process is gone: {error.strerror}.") from error
        self._opened.append(connection)
        return connection

    def close(self) -> None:
        """Hang up; nothing may be asked any more."""
        for connection in self._opened:
            connection.close()

    def call(self, message: bytes) -> bytes:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self.open()
        try:
            send_frame(connection, message)
            answer = receive_frame(connection)
        except OSError:
            answer = None
        if answer is None:
            raise ParentGoneError("The run's parent process is gone.")
        return answer


class RemotePort:
    """A port of the parent: whatever verb is called goes there."""

    def __init__(self, connections: Connections, name: str) -> None:
        self._connections = connections
        self._name = name

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        if verb.startswith("_"):
            raise AttributeError(verb)
        connections, name = self._connections, self._name

        def call(*arguments: Any, **options: Any) -> Any:
            return decode_answer(connections.call(encode_call(name, verb, arguments, options)))

        self.__dict__[verb] = call
        return call


def remote_queue(connections: Connections, name: str) -> TaskQueue:
    return cast("TaskQueue", RemotePort(connections, name))


def remote_ledger(connections: Connections) -> Ledger:
    return cast("Ledger", RemotePort(connections, "ledger"))
