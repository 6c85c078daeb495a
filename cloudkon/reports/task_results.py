"""Lists what became of a job's tasks by line: those that ran, and the lines that were no tasks."""

import heapq
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

from cloudkon.ledger.job import Job, RangeReport
from cloudkon.ledger.results import TaskState
from cloudkon.messages.wire import recorded_json
from cloudkon.ports import LedgerReader, ObjectStore
from cloudkon.reports.known_bundles import known_bundles
from cloudkon.reports.spool import Spool
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.rejects import read_rejects

ResultJson = dict[str, Any]
"""A task's number, state, duration and what it said, as wire.recorded_json has it; a rejected line's text as well."""


def task_results(reader: LedgerReader, rejects: ObjectStore, job: Job) -> Iterator[ResultJson]:
    """Yield what has ended, in the order of the lines.

    While a job is being dispatched, a range that follows one without a report can't be numbered and is left out.
    """
    reports = {report.range: report for report in reader.dispatched(job.id)}
    offsets = LineOffsets(list(reports.values()))
    with TemporaryFile() as file:
        spool = Spool(file, known_bundles(reader, job, list(reports.values())))
        for range_ in sorted(spool.ranges | reports.keys()):
            before = offsets.before(range_)
            if before is not None:
                ran = _ran(spool, range_, before)
                refused = _refused(rejects, reports.get(range_), before)
                yield from heapq.merge(ran, refused, key=_line)


def _ran(spool: Spool, range_: int, before: int) -> Iterator[ResultJson]:
    for line, result, owners in spool.results(range_):
        yield recorded_json(before + line, result, owners)


def _refused(rejects: ObjectStore, report: RangeReport | None, before: int) -> Iterator[ResultJson]:
    if report is None:
        return
    for reject in read_rejects(rejects, report):
        yield {
            "task": before + reject.line,
            "state": TaskState.REJECTED.word,
            "duration_ms": 0.0,
            "runs": 0,
            "error": reject.reason,
            "text": reject.text,
        }


def _line(result: ResultJson) -> int:
    number: int = result["task"]
    return number
