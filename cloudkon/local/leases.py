"""The bundles' rows in SQLite: the state machine of lease.py, run inside a transaction."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, assert_never

from cloudkon.ledger import lease as rules
from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import (
    BundleRow,
    BundleState,
    Claim,
    ClaimAnswer,
    Completion,
    Kept,
    Lease,
    LeaseLost,
    Mark,
    WriteAnswer,
    completed_row,
)
from cloudkon.ledger.packed_results import pack_results, unpack_results
from cloudkon.ledger.result_columns import frozen
from cloudkon.ledger.results import Results
from cloudkon.ledger.survival import lived_on
from cloudkon.local.schema import LedgerFile

_PAGE_ROWS = 500
_COLUMNS = (
    "range, number, state, owners, token, lines, results, "
    "event_ms, sent_ms, received_ms, claimed_ms, lease_until_ms, completed_ms, fruitless, "
    "mark_index, mark_times, survivors"
)
_FIND = f"SELECT {_COLUMNS} FROM bundles WHERE job = ? AND range = ? AND number = ?"  # noqa: S608
_PAGE = (
    f"SELECT {_COLUMNS} FROM bundles WHERE job = ? AND (range, number) > (?, ?) "  # noqa: S608
    f"ORDER BY range, number LIMIT {_PAGE_ROWS}"
)
_INSERT = f"INSERT INTO bundles (job, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
_WRITE_NEW = f"{_INSERT} ON CONFLICT DO NOTHING"
_WRITE = (
    f"{_INSERT} ON CONFLICT DO UPDATE SET state = excluded.state, owners = excluded.owners, token = excluded.token, "
    "results = excluded.results, sent_ms = excluded.sent_ms, received_ms = excluded.received_ms, "
    "claimed_ms = excluded.claimed_ms, lease_until_ms = excluded.lease_until_ms, completed_ms = excluded.completed_ms, "
    "fruitless = excluded.fruitless, mark_index = excluded.mark_index, mark_times = excluded.mark_times, "
    "survivors = excluded.survivors"
)
_COMPLETE_FIRST = (
    "UPDATE bundles SET state = ?, results = ?, completed_ms = ?, mark_index = NULL, mark_times = NULL "
    "WHERE job = ? AND range = ? AND number = ? AND state = ? AND token = ?"
)
"""Fenced by the token, which belongs to one claim; of a first attempt, whose whole row the worker knows."""
_BREAK_OWNERS = (
    "UPDATE bundles SET state = ? WHERE job = ? AND state = ? "
    "AND json_extract(owners, '$[#-1]') = ?"  # the last of its owners holds it
)
_BREAK_ALL = (
    "UPDATE bundles SET state = ?, fruitless = min(fruitless, 1), "
    "mark_index = CASE WHEN mark_times > 1 THEN mark_index END, "
    "mark_times = CASE WHEN mark_times > 1 THEN mark_times - 1 END "
    "WHERE job = ? AND state = ?"
)


class SqliteLeases:
    """Who may run a bundle, and what came of it; see lease.py for the rules."""

    def __init__(self, file: LedgerFile, guard_ms: int) -> None:
        self._file = file
        self._guard_ms = guard_ms

    def claim(self, ask: Claim) -> ClaimAnswer:
        with self._file.writing() as connection:
            return self._claim(connection, ask)

    def claim_all(self, asks: Sequence[Claim]) -> Sequence[ClaimAnswer]:
        """Decide all claims in one transaction; bundles that are all new take one statement each, and no read."""
        new = [rules.claim(None, ask, self._guard_ms) for ask in asks]
        with self._file.writing() as connection:
            before = connection.total_changes
            connection.executemany(_WRITE_NEW, [_record(row) for _, row in new if row is not None])
            if connection.total_changes - before == len(asks):
                return [answer for answer, _ in new]
            return [self._claim(connection, ask) for ask in asks]  # those just written are known by their tokens

    def _claim(self, connection: sqlite3.Connection, ask: Claim) -> ClaimAnswer:
        answer, row = rules.claim(_find(connection, ask.key), ask, self._guard_ms)
        if row is not None:
            _write(connection, row)
        return answer

    def checkpoint(self, lease: Lease, results: Results, until_ms: int, mark: Mark | None = None) -> WriteAnswer:
        with self._file.writing() as connection:
            return _settle(connection, rules.checkpoint(_find(connection, lease.key), lease, results, until_ms, mark))

    def complete(self, lease: Lease, results: Results, now_ms: int) -> WriteAnswer:
        with self._file.writing() as connection:
            return _settle(connection, rules.complete(_find(connection, lease.key), lease, results, now_ms))

    def complete_all(self, done: Sequence[Completion], now_ms: int) -> Sequence[WriteAnswer]:
        """Complete all in one transaction; a bundle that is at its first attempt takes one statement, and no read."""
        with self._file.writing() as connection:
            return [_complete(connection, each, now_ms) for each in done]

    def release(self, lease: Lease, results: Results, mark: Mark | None = None) -> WriteAnswer:
        with self._file.writing() as connection:
            return _settle(connection, rules.release(_find(connection, lease.key), lease, results, mark))

    def lived_on(self, lease: Lease, index: int) -> None:
        with self._file.writing() as connection:
            row = lived_on(_find(connection, lease.key), lease, index)
            if row is not None:
                _write(connection, row)

    def break_leases_of(self, job: str, owner: str) -> None:
        """Release what is leased to a worker that is known to have died alone: a strike against what it had marked."""
        with self._file.writing() as connection:
            connection.execute(_BREAK_OWNERS, (BundleState.RELEASED, job, BundleState.LEASED, owner))

    def break_leases(self, job: str) -> int:
        """Release all that is leased of a job whose whole run is known to be dead; return how many bundles that were.

        What ended the run, parent and all, was most likely none of its tasks: this is no strike, and no step towards
        giving a bundle up. But the next owner is careful, for it may have been one.
        """
        with self._file.writing() as connection:
            return connection.execute(_BREAK_ALL, (BundleState.RELEASED, job, BundleState.LEASED)).rowcount

    def bundles(self, job: Job) -> Iterator[BundleRow]:
        """All rows of the job's bundles, a page in memory at a time, in the order of the workload."""
        last = (-1, -1)
        while True:
            # Each page is a query of its own: a cursor left open would keep SQLite from clearing its log.
            with self._file.reading() as connection:
                page = connection.execute(_PAGE, (job.id, *last)).fetchall()
            for record in page:
                yield _row(BundleKey(job.id, record[0], record[1], job.shards), record)
            if len(page) < _PAGE_ROWS:
                return
            last = page[-1][:2]


def _find(connection: sqlite3.Connection, key: BundleKey) -> BundleRow | None:
    record = connection.execute(_FIND, (key.job, key.range, key.number)).fetchone()
    return None if record is None else _row(key, record)


def _complete(connection: sqlite3.Connection, done: Completion, now_ms: int) -> WriteAnswer:
    lease = done.lease
    if lease.attempt == 1:
        row = completed_row(done, now_ms)
        change = (row.state, pack_results(row.results, row.event_ms), now_ms)
        fence = (row.key.job, row.key.range, row.key.number, BundleState.LEASED, lease.token)
        if connection.execute(_COMPLETE_FIRST, (*change, *fence)).rowcount == 1:
            return Kept(row)
    return _settle(connection, rules.complete(_find(connection, lease.key), lease, done.results, now_ms))


def _settle(connection: sqlite3.Connection, answer: WriteAnswer) -> WriteAnswer:
    match answer:
        case Kept(row):
            _write(connection, row)
        case LeaseLost():
            pass
        case _:
            assert_never(answer)
    return answer


def _row(key: BundleKey, record: tuple[Any, ...]) -> BundleRow:
    (_, _, state, owners, token, lines, results, event_ms, *rest) = record
    sent_ms, received_ms, claimed_ms, lease_until_ms, completed_ms, fruitless, mark_index, mark_times, survivors = rest
    return BundleRow(
        key=key,
        state=BundleState(state),
        owners=tuple(json.loads(owners)),
        token=token,
        lines=LineNumbers.parse(lines),
        results=frozen(unpack_results(results, event_ms)),
        event_ms=event_ms,
        sent_ms=sent_ms,
        received_ms=received_ms,
        claimed_ms=claimed_ms,
        lease_until_ms=lease_until_ms,
        completed_ms=completed_ms,
        fruitless=fruitless,
        mark=None if mark_index is None else Mark(mark_index, mark_times),
        survivors=tuple(survivors.split()),
    )


def _write(connection: sqlite3.Connection, row: BundleRow) -> None:
    connection.execute(_WRITE, _record(row))


def _record(row: BundleRow) -> tuple[Any, ...]:
    return (
        row.key.job,
        row.key.range,
        row.key.number,
        row.state,
        json.dumps(row.owners),
        row.token,
        str(row.lines),
        pack_results(row.results, row.event_ms),
        row.event_ms,
        row.sent_ms,
        row.received_ms,
        row.claimed_ms,
        row.lease_until_ms,
        row.completed_ms,
        row.fruitless,
        *((row.mark.index, row.mark.times) if row.mark else (None, None)),
        " ".join(row.survivors),
    )
