"""Finds everything that the ledger knows of one task: its bundle, its workers, its result, and when what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cloudkon.errors import NotFoundError
from cloudkon.ledger.job import Job, RangeReport
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.messages.wire import result_json
from cloudkon.ports import LedgerReader, ObjectStore
from cloudkon.reports.phases import task_phases_ms
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.packing import Reject
from cloudkon.workload.rejects import read_rejects


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """What the ledger knows of one line of a workload; row is None until a worker has claimed the task's bundle."""

    line: int
    """Its number in the whole workload."""
    row: BundleRow | None = None
    index: int = 0
    """The task's place in its bundle, from 0."""
    reject: Reject | None = None
    """Why the dispatcher has rejected the line."""
    is_dispatched: bool = True
    """Whether its range was dispatched to its end."""

    @property
    def result(self) -> TaskResult | None:
        return None if self.row is None else self.row.results[self.index]

    def state(self, now_ms: int) -> str:
        """One word: how it ended, or where it waits."""
        if self.reject is not None:
            return TaskState.REJECTED.word
        if self.result is not None and self.result.is_final:
            return self.result.state.word
        if self.row is None:
            return "waiting" if self.is_dispatched else "undispatched"
        if self.row.state is BundleState.LEASED:
            return "held" if self.row.lease_until_ms > now_ms else "abandoned"
        return "retrying" if self.result is not None else "released"

    def as_json(self, now_ms: int) -> dict[str, Any]:
        shown: dict[str, Any] = {"task": self.line, "state": self.state(now_ms)}
        if self.reject is not None:
            shown |= {"error": self.reject.reason, "text": self.reject.text}
        if self.row is not None:
            shown |= _row(self.row, self.index, self.result)
            phases = task_phases_ms(self.row, self.result)
            shown["stages_ms"] = {name: round(max(0.0, ms), 3) for name, ms in phases.items()}
        if self.result is not None:
            shown |= {"start_ms": self.result.start_ms, "recorded_ms": self.result.recorded_ms}
            shown |= result_json(self.line, self.result) | {"state": shown["state"]}
        return shown


def _row(row: BundleRow, index: int, result: TaskResult | None) -> dict[str, Any]:
    ran_in = None if result is None else result.attempt
    return {
        "bundle": row.key.id,
        "bundle_state": row.state.value,
        "place": index + 1,
        "tasks_in_bundle": len(row.results),
        "attempts": [
            {"attempt": number, "worker": owner, "last_ran": number == ran_in}
            for number, owner in enumerate(row.owners, start=1)
        ],
        "strikes": row.mark.times if row.mark is not None and row.mark.index == index else 0,
        "event_ms": row.event_ms,
        "sent_ms": row.sent_ms,
        "received_ms": row.received_ms,
        "claimed_ms": row.claimed_ms,
        "lease_until_ms": row.lease_until_ms,
        "completed_ms": row.completed_ms,
    }


def find_line(reader: LedgerReader, rejects: ObjectStore, job: Job, line: int) -> TaskRecord:
    """Find a task by its line number; raises NotFoundError if the workload, dispatched as a whole, has no such line."""
    reports = reader.dispatched(job.id)
    offsets = LineOffsets(reports)
    range_ = _range_of(offsets, job, line)
    before = offsets.before(range_) or 0
    for row in reader.bundles(job):
        if row.key.range == range_ and line - before in row.lines:
            return TaskRecord(line, row, list(row.lines).index(line - before))
    report = next((report for report in reports if report.range == range_), None)
    if report is None:
        return TaskRecord(line, is_dispatched=False)
    return TaskRecord(line, reject=_reject(rejects, report, line - before))


def find_id(reader: LedgerReader, job: Job, task_id: str) -> Sequence[TaskRecord]:
    """Find the tasks with the id that their author gave them, by line; they are in the ledger once they have run."""
    offsets = LineOffsets(reader.dispatched(job.id))
    found = [
        TaskRecord((offsets.before(row.key.range) or 0) + list(row.lines)[index], row, index)
        for row in reader.bundles(job)
        for index, result in enumerate(row.results)
        if result is not None and result.id == task_id
    ]
    if not found:
        raise NotFoundError(
            f"No task of {job.id} that has run has the id {task_id!r}. "
            "Name it by the number of its line, as results shows it."
        )
    return sorted(found, key=lambda record: record.line)


def _range_of(offsets: LineOffsets, job: Job, line: int) -> int:
    for range_ in range(job.ranges):
        after = offsets.before(range_ + 1)
        if after is None or line <= after:
            return range_
    raise NotFoundError(
        f"The workload of {job.id} has {offsets.before(job.ranges) or 0:,} lines, and no line {line:,}."
    )


def _reject(rejects: ObjectStore, report: RangeReport, line: int) -> Reject | None:
    return next((reject for reject in read_rejects(rejects, report) if reject.line == line), None)
