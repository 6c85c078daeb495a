"""Lets somebody see every bundle's row while a report is worked out from them: each row is read once."""

from collections.abc import Callable, Iterator, Sequence

from cloudkon.ledger.job import Job, RangeKey, RangeReport, WorkerReport
from cloudkon.ledger.lease import BundleRow
from cloudkon.ports import LedgerReader


class ObservedLedger:
    """A LedgerReader that shows each row to an observer before it hands the row on."""

    def __init__(self, reader: LedgerReader, observe: Callable[[BundleRow], None]) -> None:
        self._reader = reader
        self._observe = observe

    def job(self, job: str) -> Job | None:
        return self._reader.job(job)

    def recent(self, limit: int) -> Sequence[Job]:
        return self._reader.recent(limit)

    def bundles(self, job: Job) -> Iterator[BundleRow]:
        for row in self._reader.bundles(job):
            self._observe(row)
            yield row

    def workers(self, job: str) -> Sequence[WorkerReport]:
        return self._reader.workers(job)

    def dispatched(self, job: str) -> Sequence[RangeReport]:
        return self._reader.dispatched(job)

    def is_dispatched(self, key: RangeKey) -> bool:
        return self._reader.is_dispatched(key)
