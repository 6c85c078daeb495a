"""Writes the lines that are no tasks to the results bucket, with their reasons, and reads them back.

What is kept of them is bounded: a workload of lines of one bad character would grow 55-fold otherwise.
"""

import json
from collections.abc import Iterator
from itertools import count

from cloudkon.errors import NotFoundError, WireError
from cloudkon.ledger.bundle import LineNumbers
from cloudkon.ledger.job import RangeReport
from cloudkon.ports import ObjectStore
from cloudkon.workload.packing import Reject

REJECTS_A_PART = 5_000
MOST_WITH_REASONS = 10_000
"""Of each range; of those that follow, their line numbers are kept."""
NO_REASON = f"not told: of each 8 MiB, the first {MOST_WITH_REASONS:,} rejected lines are kept with their reasons"


def rejects_key(job: str, range_number: int, part: int) -> str:
    """Name the object that holds a part of a range's rejects, as JSON Lines of line, reason and text."""
    return f"rejects/{job}/{range_number:05d}-{part:05d}.jsonl"


class Rejects:
    """Writes the rejects of one range in parts, so that a file of nothing but rejects takes no memory.

    A second dispatch of the same range writes the same parts again.
    """

    def __init__(self, store: ObjectStore, job: str, range_number: int) -> None:
        self.count = 0
        self._store = store
        self._job = job
        self._range_number = range_number
        self._records: list[str] = []
        self._runs: list[tuple[int, int]] = []
        """The lines after the first MOST_WITH_REASONS, as runs of (first line, count)."""
        self._last_line = 0
        self._parts = 0

    def add(self, reject: Reject) -> None:
        """Add one; a range's rejects come in the order of their lines.

        A header may have several of one line, of which one is counted where their reasons are not kept.
        """
        if self.count >= MOST_WITH_REASONS:
            if reject.line == self._last_line:
                return
            self._add_number(reject.line)
        else:
            self._records.append(json.dumps({"line": reject.line, "reason": reject.reason, "text": reject.text}))
        self.count += 1
        self._last_line = reject.line
        if REJECTS_A_PART in (len(self._records), len(self._runs)):
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        if self._runs:
            self._records.append(json.dumps({"lines": str(LineNumbers(tuple(self._runs)))}))
        if not self._records:
            return
        key = rejects_key(self._job, self._range_number, self._parts)
        self._store.write(key, ("\n".join(self._records) + "\n").encode())
        self._parts += 1
        self._records, self._runs = [], []

    def _add_number(self, line: int) -> None:
        first, many = self._runs[-1] if self._runs else (0, 0)
        if many and first + many == line:
            self._runs[-1] = first, many + 1
        else:
            self._runs.append((line, 1))


def read_rejects(store: ObjectStore, report: RangeReport) -> Iterator[Reject]:
    """Read a range's rejects, a part in memory at a time; what the store no longer has is left out.

    The report's count ends the reading: S3 answers a missing key with 403 to those who may not list the bucket.
    """
    left = report.rejected
    for part in count():
        if left <= 0:
            return
        try:
            written = b"".join(store.read(rejects_key(report.job, report.range, part)))
        except NotFoundError:
            return
        for record in written.splitlines():
            for reject in _parsed(record):
                yield reject
                left -= 1


def _parsed(record: bytes) -> Iterator[Reject]:
    try:
        value = json.loads(record)
        if "lines" in value:
            yield from (Reject(line, NO_REASON, "") for line in LineNumbers.parse(value["lines"]))
        else:
            yield Reject(int(value["line"]), str(value["reason"]), str(value["text"]))
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"The rejected lines of a job can't be read: {error!r}.") from error
