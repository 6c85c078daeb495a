"""What the ledger tells those who ask. Every read is consistent: counts are exact as soon as a job has ended."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from cloudkon.aws.ledger.rows import (
    BUNDLE,
    META,
    WORKER,
    bundle_row,
    job_of,
    job_pk,
    key,
    month_pk,
    shard_pk,
    worker_of,
)
from cloudkon.aws.ledger.table import Table
from cloudkon.clock import Clock
from cloudkon.ledger.bundle import BundleKey
from cloudkon.ledger.job import Job, WorkerReport
from cloudkon.ledger.lease import BundleRow

_MONTHS_BACK = 13


class DynamoHistory:
    """Implements ports.History."""

    _table: Table
    _clock: Clock

    def job(self, job: str) -> Job | None:
        item = self._table.get(key(job_pk(job), META))
        return None if item is None else job_of(item)

    def recent(self, limit: int) -> list[Job]:
        """Walk the index back, month by month; its rows carry the jobs, so a page of jobs is one query."""
        return list(islice(self._newest_first(limit), limit))

    def _newest_first(self, limit: int) -> Iterator[Job]:
        # A day ahead: on the last evening of a month another machine's clock may be in the next one.
        month = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC) + timedelta(days=1)
        for _ in range(_MONTHS_BACK):
            yield from map(job_of, self._table.query(month_pk(month), limit=limit, latest=True))
            month = month.replace(day=1) - timedelta(days=1)

    def bundles(self, job: Job) -> Iterator[BundleRow]:
        for shard in range(job.shards):
            for item in self._table.query(shard_pk(job.id, shard), BUNDLE):
                bundle = BundleKey.parse(job.id, item["sk"]["S"].removeprefix(BUNDLE), job.shards)
                yield bundle_row(bundle, item)

    def workers(self, job: str) -> list[WorkerReport]:
        return [worker_of(job, item) for item in self._table.query(job_pk(job), WORKER)]
