"""The times of tasks, a row for each name: pk time#<name>."""

from cloudkon.aws.ledger.rows import META, expiry, key, number
from cloudkon.aws.ledger.table import NEW, Table
from cloudkon.ledger.task_times import RENEW_MS, TaskTime


class DynamoTaskTimes:
    """Implements TaskTimes."""

    _table: Table
    _retention_s: int

    def learn_task_time(self, time: TaskTime) -> None:
        row = {"mean": {"N": repr(time.mean_ms)}, "seen": number(time.seen_ms)}
        expires = {"expires_at": expiry(time.seen_ms, self._retention_s)}
        stale = {":stale": number(time.seen_ms - RENEW_MS)}
        self._table.put(key(_pk(time.name), META) | row | expires, f"{NEW} OR #seen <= :stale", stale)

    def task_time(self, name: str) -> TaskTime | None:
        item = self._table.get(key(_pk(name), META))
        return None if item is None else TaskTime(name, float(item["mean"]["N"]), int(item["seen"]["N"]))


def _pk(name: str) -> str:
    return f"time#{name}"
