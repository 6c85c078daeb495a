"""The rules of control.py, written as conditions on the job's row; its place in the index follows."""

from cloudkon.aws.ledger.rows import META, expiry, index_key, job_item, job_of, job_pk, key, number, text
from cloudkon.aws.ledger.table import NEW, Item, Table
from cloudkon.ledger.job import Job

_OPEN = "attribute_exists(#pk) AND attribute_not_exists(#cancelled)"
_CANCEL = "SET #cancelled = :now REMOVE #paused, #pause_reason ADD #changes :one"
_PAUSE = "SET #paused = :now, #pause_reason = :reason ADD #changes :one"
_RESUME = "SET #resumed = :now REMOVE #paused, #pause_reason ADD #changes :one"
# Two changes may reach the index in the wrong order: the count of changes tells which is the later.
_LATER = f"{NEW} OR attribute_not_exists(#changes) OR #changes < :changes"


class DynamoControl:
    """Implements ports.Control."""

    _table: Table
    _retention_s: int

    def cancel(self, job: str, now_ms: int) -> Job | None:
        return self._change(job, _CANCEL, _OPEN, {":now": number(now_ms)})

    def pause(self, job: str, reason: str, now_ms: int) -> Job | None:
        values = {":now": number(now_ms), ":reason": text(reason)}
        return self._change(job, _PAUSE, f"{_OPEN} AND attribute_not_exists(#paused)", values)

    def resume(self, job: str, now_ms: int) -> Job | None:
        return self._change(job, _RESUME, "attribute_exists(#paused)", {":now": number(now_ms)})

    def _change(self, job: str, change: str, condition: str, values: Item) -> Job | None:
        """Change the row, then the index; who dies between the two leaves the repair to the next change."""
        answer = self._table.update(key(job_pk(job), META), change, condition, {**values, ":one": number(1)})
        return None if answer.item is None else self._indexed(answer.item)

    def _indexed(self, item: Item) -> Job:
        standing = job_of(item)
        if "changes" in item:
            changes = {"changes": item["changes"], "expires_at": expiry(standing.opened_ms, self._retention_s)}
            row = index_key(standing) | job_item(standing) | changes
            self._table.put(row, _LATER, {":changes": item["changes"]})
        return standing
