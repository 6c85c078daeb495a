"""The times of tasks in SQLite."""

from cloudkon.ledger.task_times import RENEW_MS, TaskTime
from cloudkon.local.schema import LedgerFile

_LEARN = (
    "INSERT INTO task_times VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET mean_ms = excluded.mean_ms, seen_ms = excluded.seen_ms WHERE seen_ms <= ?"
)
_READ = "SELECT name, mean_ms, seen_ms FROM task_times WHERE name = ?"


class SqliteTaskTimes:
    """Implements TaskTimes."""

    _file: LedgerFile

    def learn_task_time(self, time: TaskTime) -> None:
        with self._file.writing() as connection:
            connection.execute(_LEARN, (time.name, time.mean_ms, time.seen_ms, time.seen_ms - RENEW_MS))

    def task_time(self, name: str) -> TaskTime | None:
        with self._file.reading() as connection:
            record = connection.execute(_READ, (name,)).fetchone()
        return None if record is None else TaskTime(*record)
