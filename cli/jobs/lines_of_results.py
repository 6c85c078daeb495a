"""Gives results the lines of the workload that they are of, so that they can be joined with anything."""

from collections.abc import Iterator
from itertools import count

from cli.jobs.ledgers import FoundJob
from cli.jobs.repeats import Origins
from cli.jobs.workload_lines import WorkloadLines
from cloudkon.errors import CloudKonError
from cloudkon.reports.task_results import ResultJson
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.lines import Line


def with_origins(origins: Origins, results: Iterator[ResultJson]) -> Iterator[ResultJson]:
    """Yield the results of a retry with the places of their lines in the first job."""
    for result in results:
        line = origins.line(result["task"])
        yield result if line is None else result | {"first_job": origins.job, "first_line": line}


def with_lines(found: FoundJob, results: Iterator[ResultJson]) -> Iterator[ResultJson]:
    """Yield the results, which ascend, with their lines as text; without, if the workload can't be read any more."""
    offsets = LineOffsets(found.records.ledger.dispatched(found.job.id))
    try:
        lines = WorkloadLines(found).lines(offsets, count(1))
        line = next(lines, None)
    except CloudKonError:
        yield from results
        return
    for result in results:
        while line is not None and line.number < result["task"]:
            line = next(lines, None)
        is_its = isinstance(line, Line) and line.number == result["task"]
        yield result | {"text": line.text} if isinstance(line, Line) and is_its else result
