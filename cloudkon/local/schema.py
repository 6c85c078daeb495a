"""The SQLite file that holds a local ledger: how it is recognised, made and reached."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudkon.errors import InputError, UnavailableError
from cloudkon.local import private

_APPLICATION = 0x434B4F4E  # "CKON" in the file's header: no other program's database is taken for a ledger
_VERSION = 14
_UPGRADES = {
    2: "ALTER TABLE jobs ADD COLUMN trace TEXT",
    3: "ALTER TABLE fleet ADD COLUMN throttled TEXT DEFAULT '{}'",
    4: "ALTER TABLE jobs ADD COLUMN seal_key TEXT",
    5: "ALTER TABLE workers ADD COLUMN waited_ms INTEGER DEFAULT 0",
    6: "ALTER TABLE workers ADD COLUMN instance TEXT DEFAULT 'null'",
    7: "ALTER TABLE bundles ADD COLUMN survivors TEXT DEFAULT ''",
    8: "ALTER TABLE jobs ADD COLUMN keep_logs INTEGER DEFAULT 0",
    9: "ALTER TABLE jobs ADD COLUMN form TEXT",
    10: "CREATE TABLE task_times (name TEXT PRIMARY KEY, mean_ms REAL, seen_ms INTEGER)",
    11: "ALTER TABLE jobs ADD COLUMN max_fails TEXT",
    12: "ALTER TABLE workers ADD COLUMN failed INTEGER DEFAULT 0",
    13: "ALTER TABLE jobs ADD COLUMN task_slots INTEGER",
}
"""From each version that can be brought to the next one; a new column comes last, here and in a new ledger."""
_BUSY_TIMEOUT_S = 10.0
_LOG_TRIES = 20

_TABLES = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, bucket TEXT, key TEXT, version TEXT, event_ms INTEGER, pinned INTEGER,
    size_bytes INTEGER, ranges INTEGER, shards INTEGER, bundle_size INTEGER, tasks_estimate INTEGER,
    opened_ms INTEGER, gzipped INTEGER, retries INTEGER, timeout_s REAL, cancelled_ms INTEGER,
    paused_ms INTEGER, pause_reason TEXT, resumed_ms INTEGER, trace TEXT, seal_key TEXT,
    keep_logs INTEGER DEFAULT 0, form TEXT, max_fails TEXT, task_slots INTEGER
);
CREATE INDEX jobs_by_time ON jobs (opened_ms, id);
CREATE TABLE ranges (
    job TEXT, range INTEGER, tasks INTEGER, bundles INTEGER, rejected INTEGER, lines INTEGER,
    started_ms INTEGER, ended_ms INTEGER, api_calls TEXT,
    PRIMARY KEY (job, range)
);
CREATE TABLE bundles (
    job TEXT, range INTEGER, number INTEGER, state TEXT, owners TEXT, token TEXT, lines TEXT, results BLOB,
    event_ms INTEGER, sent_ms INTEGER, received_ms INTEGER, claimed_ms INTEGER, lease_until_ms INTEGER,
    completed_ms INTEGER, fruitless INTEGER, mark_index INTEGER, mark_times INTEGER, survivors TEXT DEFAULT '',
    PRIMARY KEY (job, range, number)
);
CREATE TABLE workers (
    job TEXT, worker TEXT, slots INTEGER, started_ms INTEGER, seen_ms INTEGER, duplicates_dropped INTEGER,
    leases_lost INTEGER, unrecorded_runs INTEGER, api_calls TEXT, waited_ms INTEGER, instance TEXT, failed INTEGER,
    PRIMARY KEY (job, worker)
);
CREATE TABLE fleet (
    worker TEXT PRIMARY KEY, state TEXT, slots INTEGER, busy INTEGER, bundles INTEGER, tasks INTEGER,
    started_ms INTEGER, seen_ms INTEGER, reason TEXT, instance TEXT, failing TEXT,
    throttled TEXT
);
CREATE TABLE task_times (name TEXT PRIMARY KEY, mean_ms REAL, seen_ms INTEGER);
"""


class LedgerFile:
    """One connection that all threads of a process take turns on; other processes have their own.

    Turns beat a connection a thread: SQLite has one writer at a time anyway, and a thread that waits for a lock is
    woken at once, where one that finds the file busy sleeps and tries again.
    Raises InputError when the file can't be a ledger, UnavailableError when it can't be read or written later.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._connection = _connect(path)
        try:
            self._prepare()
        except InputError:
            self._connection.close()
            raise
        except sqlite3.Error as error:
            self._connection.close()
            raise InputError(f"{path} can't be used as a ledger: {error}. {_advice(path)}") from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Take a turn for single statements, each of which sees the last committed state."""
        with self._turn:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise UnavailableError(f"The ledger {self._path or 'in memory'} did not answer: {error}.") from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Take a turn as the only writer of all processes: what is read in it stands until what follows is written."""
        with self.reading() as connection, _transaction(connection, "IMMEDIATE"):
            yield connection

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def _prepare(self) -> None:
        connection = self._connection
        with _transaction(connection, "DEFERRED"):
            exists = self._is_ledger()
        if not exists:
            with _transaction(connection, "IMMEDIATE"):
                self._make()
        _keep_log(connection)

    def _make(self) -> None:
        if self._is_ledger():
            return  # another process has made it meanwhile
        version = self._pragma("user_version")
        for statement in _TABLES.split(";") if not version else ():
            self._connection.execute(statement)
        while version in _UPGRADES:
            self._connection.execute(_UPGRADES[version])
            version += 1
        self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _is_ledger(self) -> bool:
        """Whether the file is a ledger (False: it is empty, or an older one); raises InputError if it is neither."""
        application = self._pragma("application_id")
        version = self._pragma("user_version")
        if application == _APPLICATION and version == _VERSION:
            return True
        if application == _APPLICATION and version in _UPGRADES:
            return False
        if application == _APPLICATION:
            raise InputError(
                f"{self._path} is a ledger of version {version}, and this CloudKon reads version {_VERSION}. "
                "Use the CloudKon that wrote it, or name another file."
            )
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application or version or tables:
            raise InputError(f"{self._path} is another program's database, not a ledger. Name another file.")
        return False

    def _pragma(self, name: str) -> int:
        (value,) = self._connection.execute(f"PRAGMA {name}").fetchone()
        return int(value)


def _advice(path: Path | None) -> str:
    effective = os.access in os.supports_effective_ids
    if path is not None and path.exists() and not os.access(path.parent, os.W_OK, effective_ids=effective):
        return "Files have to be written beside it, and its folder can't be written to: copy it to one that can."
    return "Name another file."


def _connect(path: Path | None) -> sqlite3.Connection:
    try:
        if path is not None:
            private.make_folder(path.parent)
            private.touch(path)
        return sqlite3.connect(
            ":memory:" if path is None else path,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,  # transactions are begun and committed by hand
            check_same_thread=False,
        )
    except (OSError, ValueError, sqlite3.Error) as error:  # ValueError: a null byte
        raise InputError(f"{path} can't be used as a ledger: {error}. Name another file.") from error


def _keep_log(connection: sqlite3.Connection) -> None:
    """Write to a log beside the file, so that others read while we write."""
    for _ in range(_LOG_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            # Of processes that open a new file together, SQLite sends all but one away at once. Wait for our turn.
            with _transaction(connection, "IMMEDIATE"):
                pass
    # A power cut may undo the last transactions, as if the run had died a little earlier; the file stays whole.
    connection.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
