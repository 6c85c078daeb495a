"""Reads lines of a workload again by their numbers."""

from collections.abc import Iterable, Iterator

from cloudkon.ledger.job import Job
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.lines import BadLine, Line
from dispatcher.ranges import Workload, range_lines


def lines_again(
    workload: Workload, job: Job, numbering: LineOffsets, numbers: Iterable[int]
) -> Iterator[Line | BadLine]:
    """The lines of these ascending numbers, numbered so; ranges without one of them are not read."""
    left = iter(numbers)
    wanted = next(left, None)
    for range_ in range(job.ranges):
        before, after = numbering.before(range_), numbering.before(range_ + 1)
        if wanted is None or before is None:
            return
        if after is not None and wanted > after:
            continue
        for line in range_lines(workload, job, range_):
            if before + line.number == wanted:
                yield _numbered(line, wanted)
                wanted = _next_above(left, wanted)
            if wanted is None or (after is not None and wanted > after):
                break


def _numbered(line: Line | BadLine, number: int) -> Line | BadLine:
    if isinstance(line, Line):
        return Line(number, line.text, line.end)
    return BadLine(number, line.reason, line.excerpt, line.end)


def _next_above(numbers: Iterator[int], last: int) -> int | None:
    """The next number; a line that was rejected for two reasons is named twice."""
    return next((number for number in numbers if number > last), None)
