"""The rows around the bundles, each written once, or while it is the later one."""

from cloudkon.aws.ledger.rows import (
    META,
    RANGE,
    expiry,
    index_key,
    job_item,
    job_of,
    job_pk,
    key,
    number,
    range_item,
    range_key,
    range_of,
    worker_item,
)
from cloudkon.aws.ledger.table import NEW, Item, Table
from cloudkon.ledger.job import Job, RangeKey, RangeReport, WorkerReport


class DynamoJobs:
    """Implements ports.Jobs."""

    _table: Table
    _retention_s: int

    def open(self, job: Job) -> Job:
        """Write the row, then the index; a dispatcher that dies between the two is repaired by the next one."""
        stands = self._table.put(key(job_pk(job.id), META) | job_item(job) | self._expiry(job.opened_ms)).item
        standing = job if stands is None else job_of(stands)
        self._table.put(index_key(standing) | job_item(standing) | self._expiry(standing.opened_ms))
        return standing

    def record_range(self, report: RangeReport) -> None:
        self._table.put(range_item(report) | self._expiry(report.ended_ms))

    def dispatched(self, job: str) -> list[RangeReport]:
        return [range_of(job, item) for item in self._table.query(job_pk(job), RANGE)]

    def is_dispatched(self, key: RangeKey) -> bool:
        return self._table.get(range_key(key)) is not None

    def report_worker(self, report: WorkerReport) -> None:
        seen = {":seen": number(report.seen_ms)}
        self._table.put(worker_item(report) | self._expiry(report.seen_ms), f"{NEW} OR #seen <= :seen", seen)

    def _expiry(self, written_ms: int) -> dict[str, Item]:
        return {"expires_at": expiry(written_ms, self._retention_s)}
