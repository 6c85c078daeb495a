"""The rows of the bundles that a job's workload has: what was forged into the ledger beside them counts nowhere."""

from collections.abc import Iterator, Sequence

from cloudkon.ledger.job import Job, RangeReport
from cloudkon.ledger.lease import BundleRow
from cloudkon.ports import LedgerReader


def known_bundles(reader: LedgerReader, job: Job, reports: Sequence[RangeReport]) -> Iterator[BundleRow]:
    """Yield the rows of the job's bundles, without those that the report of their range does not know.

    A bundle of a range that has no report yet is yielded: it may have been sent a moment ago.
    """
    bundles = {report.range: report.bundles for report in reports}
    for row in reader.bundles(job):
        key = row.key
        if key.range < job.ranges and (key.range not in bundles or key.number < bundles[key.range]):
            yield row
