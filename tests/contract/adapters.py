"""Which adapters the contract of each port is tried on: a name, and what makes one in a test's own folder.

A module beside this one adds its own by the same three names; conftest.py puts them together.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from cloudkon.clock import SystemClock
from cloudkon.local.flaky import FlakyQueue
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.local.store import FolderStore
from cloudkon.ports import Ledger, ObjectStore, TaskQueue
from tests.support.rows import GUARD_MS

QueueFactory = Callable[[Path], AbstractContextManager[TaskQueue]]
LedgerFactory = Callable[[Path], AbstractContextManager[Ledger]]
StoreFactory = Callable[[Path], AbstractContextManager[ObjectStore]]


@contextmanager
def _memory_queue(_: Path) -> Iterator[TaskQueue]:
    yield MemoryQueue(SystemClock())


@contextmanager
def _calm_flaky_queue(_: Path) -> Iterator[TaskQueue]:
    yield FlakyQueue(MemoryQueue(SystemClock()), seed=1)


@contextmanager
def _sqlite_file(folder: Path) -> Iterator[Ledger]:
    ledger = SqliteLedger(folder / "ledger.db", guard_ms=GUARD_MS)
    yield ledger
    ledger.close()


@contextmanager
def _sqlite_memory(_: Path) -> Iterator[Ledger]:
    ledger = SqliteLedger(None, guard_ms=GUARD_MS)
    yield ledger
    ledger.close()


@contextmanager
def _folder(folder: Path) -> Iterator[ObjectStore]:
    yield FolderStore(folder)


QUEUES: dict[str, QueueFactory] = {"memory": _memory_queue, "flaky-at-rest": _calm_flaky_queue}
LEDGERS: dict[str, LedgerFactory] = {"sqlite-file": _sqlite_file, "sqlite-memory": _sqlite_memory}
STORES: dict[str, StoreFactory] = {"folder": _folder}
