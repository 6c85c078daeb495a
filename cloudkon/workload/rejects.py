"""Writes the lines that are no tasks to the results bucket, with their reasons, and reads them back."""

import json
from collections.abc import Iterator
from itertools import count

from cloudkon.errors import NotFoundError, WireError
from cloudkon.ledger.job import RangeReport
from cloudkon.ports import ObjectStore
from cloudkon.workload.packing import Reject

REJECTS_A_PART = 5_000


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
        self._lines: list[str] = []
        self._parts = 0

    def add(self, reject: Reject) -> None:
        self.count += 1
        self._lines.append(json.dumps({"line": reject.line, "reason": reject.reason, "text": reject.text}))
        if len(self._lines) == REJECTS_A_PART:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        if not self._lines:
            return
        key = rejects_key(self._job, self._range_number, self._parts)
        self._store.write(key, ("\n".join(self._lines) + "\n").encode())
        self._parts += 1
        self._lines = []


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
        for line in written.splitlines():
            yield _parsed(line)
            left -= 1


def _parsed(line: bytes) -> Reject:
    try:
        value = json.loads(line)
        return Reject(int(value["line"]), str(value["reason"]), str(value["text"]))
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"The rejected lines of a job can't be read: {error!r}.") from error
