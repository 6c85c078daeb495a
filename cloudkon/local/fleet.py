"""The rows of the workers in SQLite; each announcement deletes the rows of those that have not reported for long."""

import json
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from cloudkon.ledger.fleet import MEMORY_S, Instance, WorkerState, WorkerStatus
from cloudkon.local.schema import LedgerFile

_ANNOUNCE = (
    "INSERT OR REPLACE INTO fleet SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 "
    "WHERE NOT EXISTS (SELECT 1 FROM fleet WHERE worker = ?1 AND seen_ms > ?8)"
)
_FORGET = "DELETE FROM fleet WHERE seen_ms < ?"
_FLEET = "SELECT * FROM fleet WHERE seen_ms >= ? ORDER BY worker"


class SqliteFleet:
    """Implements ports.Fleet."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file

    def announce(self, status: WorkerStatus) -> None:
        with self._file.writing() as connection:
            connection.execute(_ANNOUNCE, _record(status))
            connection.execute(_FORGET, (status.seen_ms - MEMORY_S * 1000,))

    def fleet(self, since_ms: int) -> Sequence[WorkerStatus]:
        with self._file.reading() as connection:
            records = connection.execute(_FLEET, (since_ms,)).fetchall()
        return [_status(record) for record in records]


def _record(status: WorkerStatus) -> tuple[Any, ...]:
    return (
        status.worker,
        status.state,
        status.slots,
        status.busy,
        status.bundles,
        status.tasks,
        status.started_ms,
        status.seen_ms,
        status.reason,
        instance_text(status.instance),
        json.dumps(dict(status.failing)),
        json.dumps(dict(status.throttled)),
    )


def _status(record: tuple[Any, ...]) -> WorkerStatus:
    worker, state, *others, instance, failing, throttled = record
    where = read_instance(instance)
    return WorkerStatus(*(worker, WorkerState(state), *others, where, json.loads(failing), json.loads(throttled)))


def instance_text(instance: Instance | None) -> str:
    """An instance as a column holds it."""
    return json.dumps(None if instance is None else astuple(instance))


def read_instance(text: str) -> Instance | None:
    """Read what instance_text wrote; an earlier version wrote less of it."""
    told = json.loads(text)
    return None if told is None else Instance(*told)
