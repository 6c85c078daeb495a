"""Which adapters the contract of each port is tried on: a name, and what makes one for the test that asks.

A module beside this one adds its own by the same three names; conftest.py puts them together.
"""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.running.processes.frames import receive_frame, send_frame
from cli.running.processes.port_server import PortServer
from cli.running.processes.remote_ports import Connections, remote_ledger, remote_queue
from cloudkon.clock import SystemClock
from cloudkon.local.faults import Faults
from cloudkon.local.flaky import FlakyQueue, flaky
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.local.store import FolderStore
from cloudkon.ports import Ledger, ResultStore, TaskQueue
from tests.support.data.rows import GUARD_MS

_GREETING = b"hello"

Queues = dict[str, Callable[[pytest.FixtureRequest], TaskQueue]]
Ledgers = dict[str, Callable[[pytest.FixtureRequest], Ledger]]
Stores = dict[str, Callable[[pytest.FixtureRequest], ResultStore]]


def _memory_queue(_: pytest.FixtureRequest) -> TaskQueue:
    return MemoryQueue(SystemClock())


def _calm_flaky_queue(_: pytest.FixtureRequest) -> TaskQueue:
    return FlakyQueue(MemoryQueue(SystemClock()), _no_faults())


def _sqlite_file(request: pytest.FixtureRequest) -> Ledger:
    return _closed_after(request, SqliteLedger(_folder(request) / "ledger.db", guard_ms=GUARD_MS))


def _sqlite_memory(request: pytest.FixtureRequest) -> Ledger:
    return _closed_after(request, SqliteLedger(None, guard_ms=GUARD_MS))


def _calm_flaky_ledger(request: pytest.FixtureRequest) -> Ledger:
    return flaky(_sqlite_memory(request), _no_faults(), "ledger")


def _folder_store(request: pytest.FixtureRequest) -> ResultStore:
    return FolderStore(_folder(request))


def _calm_flaky_store(request: pytest.FixtureRequest) -> ResultStore:
    return flaky(_folder_store(request), _no_faults(), "store")


def _no_faults() -> Faults:
    return Faults(1, {}, SystemClock())


def _folder(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue("tmp_path")
    return folder


def _closed_after(request: pytest.FixtureRequest, ledger: SqliteLedger) -> SqliteLedger:
    request.addfinalizer(ledger.close)
    return ledger


class _EveryVerb:
    def __contains__(self, _: object) -> bool:
        return True


def _remote(request: pytest.FixtureRequest, **ports: TaskQueue | Ledger) -> Connections:
    """Connections to a server of these ports, as a worker's process has them to its parent."""
    verbs = dict.fromkeys(ports, _EveryVerb())
    server = PortServer(lambda _: ports, lambda _, connection: _greet(request, connection), verbs)
    server.start()
    request.addfinalizer(server.close)
    connections = Connections(server.address, "w1")
    request.addfinalizer(connections.close)
    assert receive_frame(connections.open()) == _GREETING  # the first one is not served
    return connections


def _greet(request: pytest.FixtureRequest, connection: socket.socket) -> None:
    request.addfinalizer(connection.close)
    send_frame(connection, _GREETING)


def _remote_queue(request: pytest.FixtureRequest) -> TaskQueue:
    return remote_queue(_remote(request, tasks=_memory_queue(request)), "tasks")


def _remote_ledger(request: pytest.FixtureRequest) -> Ledger:
    return remote_ledger(_remote(request, ledger=_sqlite_memory(request)))


QUEUES: Queues = {"memory": _memory_queue, "flaky-at-rest": _calm_flaky_queue, "remote": _remote_queue}
LEDGERS: Ledgers = {
    "sqlite-file": _sqlite_file,
    "sqlite-memory": _sqlite_memory,
    "flaky-at-rest": _calm_flaky_ledger,
    "remote": _remote_ledger,
}
STORES: Stores = {"folder": _folder_store, "flaky-at-rest": _calm_flaky_store}
