"""Which tasks of a job to take again, and their lines as a workload of their own."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from cli.jobs.ledgers import FoundJob
from cli.jobs.workload_lines import WorkloadLines
from cloudkon.ledger.results import TaskState
from cloudkon.reports.error_groups import error_contains
from cloudkon.reports.task_results import ResultJson, task_results
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.lines import BadLine, Line
from cloudkon.workload.planning import is_header
from cloudkon.workload.task_line import is_task_line

FAILED, REJECTED = TaskState.FAILED.word, TaskState.REJECTED.word


@dataclass(frozen=True, slots=True)
class Selection:
    """What to take: tasks that failed, and others as it says."""

    unhandled: bool = False
    """Also tasks that no worker had a handler for."""
    unreadable: bool = False
    """Also lines that the dispatcher could not read as tasks."""
    never_ran: bool = False
    """Also tasks without a result: of a job that was cancelled."""
    reason: str | None = None
    """Only those whose error holds this text."""

    def takes(self, outcome: ResultJson) -> bool:
        if outcome["state"] == REJECTED:
            wanted = self.unreadable if "text" in outcome else self.unhandled
        else:
            wanted = outcome["state"] == FAILED
        return wanted and (self.reason is None or error_contains(outcome, self.reason))


def selected_lines(found: FoundJob, selection: Selection) -> Iterator[Line | BadLine]:
    """The original lines of what is selected, after the workload's options; a line in memory at a time."""
    ledger = found.records.ledger
    reports = ledger.dispatched(found.job.id)
    ended = task_results(ledger, found.records.results, found.job)
    numbers = _numbers(ended, selection, sum(report.lines for report in reports))
    first = next(numbers, None)
    if first is None:
        return  # without a look at the workload: it may be long gone
    originals = WorkloadLines(found)
    headers = originals.headers()
    for line in originals.lines(LineOffsets(reports), _chain(first, numbers)):
        if isinstance(line, BadLine) or (is_task_line(line.text) and not is_header(line.text)):
            yield from headers  # the first time
            yield line


@dataclass(slots=True)
class Copied:
    """How many tasks were written, and how many lines are not UTF-8, or too long, to be written."""

    left_out: int = 0
    headers: int = 0
    """Lines of options, which come first."""
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    """The tasks' lines in the job that they are of."""

    @property
    def tasks(self) -> int:
        return len(self.numbers)

    def add(self, line: Line) -> None:
        if is_header(line.text):
            self.headers += 1
        else:
            self.numbers.append(line.number)


def copy_lines(found: FoundJob, selection: Selection, out: BinaryIO) -> Copied:
    """Write what is selected as a workload."""
    copied = Copied()
    for line in selected_lines(found, selection):
        if isinstance(line, BadLine):
            copied.left_out += 1
            continue
        out.write(f"{line.text}\n".encode())
        copied.add(line)
    return copied


def _chain(first: int, rest: Iterable[int]) -> Iterator[int]:
    yield first
    yield from rest


def _numbers(ended: Iterable[ResultJson], selection: Selection, lines: int) -> Iterator[int]:
    """The numbers of the lines to take, ascending; of those without an outcome, some will prove to be no tasks."""
    at = 1
    for outcome in ended:
        if selection.never_ran:
            yield from range(at, outcome["task"])
        if selection.takes(outcome):
            yield outcome["task"]
        at = outcome["task"] + 1
    if selection.never_ran:
        yield from range(at, lines + 1)
