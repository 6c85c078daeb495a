"""The parent answers its workers, and nobody else; what a dead one held is free at once."""

import errno
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cli.running.processes.codec import ParentFailedError
from cli.running.processes.frames import receive_frame, send_frame
from cli.running.processes.port_server import HeldMessages, PortServer
from cli.running.processes.remote_ports import Connections, ParentGoneError, RemotePort
from cloudkon.local.queue import MemoryQueue
from tests.support.manual_clock import ManualClock


class Slow:
    """A port that takes as long as the test wants."""

    def __init__(self) -> None:
        self.begun, self.until = threading.Event(), threading.Event()
        self.done: list[str] = []

    def job(self, name: str) -> None:
        self.begun.set()
        self.until.wait(30)
        self.done.append(name)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def server(slow: Slow) -> Iterator[PortServer]:
    """A server whose only port is slow."""
    connections: list[socket.socket] = []

    def greet(_: str, connection: socket.socket) -> None:
        connections.append(connection)
        send_frame(connection, b"hello")

    server = PortServer(lambda _: {"ledger": slow}, greet)
    server.start()
    yield server
    server.close()
    for connection in connections:
        connection.close()


@pytest.fixture
def connections(server: PortServer) -> Iterator[Connections]:
    connections = Connections(server.address, "w1")
    assert receive_frame(connections.open()) == b"hello"
    yield connections
    connections.close()


def test_the_socket_is_ours_alone(server: PortServer) -> None:
    """Nobody else can enter the folder that it is in, and both are gone afterwards."""
    folder = Path(server.address).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    server.close()
    assert not folder.exists()


@pytest.mark.parametrize(("port", "verb"), [("ledger", "open"), ("tasks", "receive"), ("x", "y")])
def test_only_what_a_worker_needs_is_answered(connections: Connections, port: str, verb: str) -> None:
    """A verb that is not for workers, and a port that there is not, are refused."""
    remote: Any = RemotePort(connections, port)
    with pytest.raises((ParentFailedError, AttributeError)):
        getattr(remote, verb)()


def test_a_dead_worker_has_been_served_before_it_is_forgotten(
    server: PortServer, connections: Connections, slow: Slow
) -> None:
    """What it had asked for is done first, so that nothing of it comes after what it held was given away."""

    def ask() -> None:
        with suppress(ParentGoneError):
            RemotePort(connections, "ledger").job("x")

    asking = threading.Thread(target=ask)
    asking.start()
    slow.begun.wait(30)
    forgetting = threading.Thread(target=server.hung_up, args=("w1",))
    forgetting.start()
    assert slow.done == []
    slow.until.set()
    forgetting.join()
    assert slow.done == ["x"]
    asking.join()
    late: Any = RemotePort(Connections(server.address, "w1"), "ledger")
    with pytest.raises(ParentGoneError):
        late.job("late")
    assert slow.done == ["x"]
    late._connections.close()


def test_messages_of_a_dead_worker_can_be_received_at_once() -> None:
    """All that it held, in as many batches as it takes; not what it had deleted."""
    queue = MemoryQueue(ManualClock())
    held = HeldMessages(queue)
    for _ in range(3):
        queue.send(["x"] * 10)
        deliveries = held.receive(10, 0, 1000)
    held.delete([deliveries[0].receipt])
    assert (held.received, queue.depth().visible) == (30, 0)
    held.give_back()
    assert queue.depth().visible == 29
    held.give_back()
    assert queue.depth().visible == 29


class ShortOfFiles:
    """A listener that can't open a file for whoever knocks, so many times."""

    def __init__(self, listener: socket.socket, times: float) -> None:
        self._listener = listener
        self._left = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> Any:
        if self._left > 0:
            self._left -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._listener.accept()


@pytest.mark.parametrize("times", [3, float("inf")])
def test_a_shortage_of_files_is_waited_for_and_told_if_it_stays(monkeypatch: pytest.MonkeyPatch, times: float) -> None:
    """A worker that was not let in hangs: it is let in as soon as files can be opened, or the run is told why not."""
    monkeypatch.setattr("cli.running.processes.port_server._SHORT_OF_FILES_S", 0.001)
    met, told = threading.Event(), threading.Event()

    def meet(_: str, connection: socket.socket) -> None:
        connection.close()
        met.set()

    server = PortServer(lambda _: {}, meet, failed=lambda _: told.set())
    server._listener = ShortOfFiles(server._listener, times)  # type: ignore[assignment]
    server.start()
    try:
        connections = Connections(server.address, "w1")
        connections.open()
        assert (met if times == 3 else told).wait(10)
        assert told.is_set() is (times != 3)
        connections.close()
    finally:
        server.close()
