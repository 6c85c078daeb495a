"""Lists what became of a job's tasks by line: those that ran, and the lines that were no tasks."""

import heapq
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

from cloudkon.ledger.job import Job, RangeReport
from cloudkon.ledger.results import TaskState
from cloudkon.messages.wire import describe
from cloudkon.ports import History, Jobs, ObjectStore
from cloudkon.reports.spool import Shelf
from cloudkon.workload.line_numbers import Numbering
from cloudkon.workload.rejects import read_rejects

Outcome = dict[str, Any]
"""A task's number, state, duration and what it said, as wire.describe has it; a rejected line's text as well."""


def outcomes(history: History, jobs: Jobs, rejects: ObjectStore, job: Job) -> Iterator[Outcome]:
    """Yield what has ended, in the order of the lines.

    While a job is being dispatched, a range that follows one without a report can't be numbered and is left out.
    """
    reports = {report.range: report for report in jobs.dispatched(job.id)}
    numbering = Numbering(list(reports.values()))
    with TemporaryFile() as file:
        shelf = Shelf(file, history.bundles(job))
        for range_ in sorted(shelf.ranges | reports.keys()):
            before = numbering.before(range_)
            if before is not None:
                ran = _ran(shelf, range_, before)
                refused = _refused(rejects, reports.get(range_), before)
                yield from heapq.merge(ran, refused, key=_line)


def _ran(shelf: Shelf, range_: int, before: int) -> Iterator[Outcome]:
    for line, result in shelf.results(range_):
        yield describe(before + line, result)


def _refused(rejects: ObjectStore, report: RangeReport | None, before: int) -> Iterator[Outcome]:
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


def _line(outcome: Outcome) -> int:
    number: int = outcome["task"]
    return number
