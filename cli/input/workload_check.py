"""What is found out about a workload without running any of it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudkon.errors import TaskRejectedError
from cloudkon.handlers.misfits import MisfitSearch
from cloudkon.handlers.registry import Registry
from cloudkon.ledger.job import Job
from cloudkon.ledger.results import TaskState
from cloudkon.reports.error_groups import ErrorGroup, group_errors
from cloudkon.workload.packing import PackedBundle, Reject
from cloudkon.workload.task_line import Task, parse_task
from cloudkon.workload.templates.form import Form

_MOST_REJECTS = 1_000
"""How many rejects are kept one by one; all are counted, and grouped by their reasons."""
_MOST_NAMES = 1_000


@dataclass(frozen=True, slots=True)
class FirstTask:
    """The first task that can be run, and what its handler would be called with, where that is known."""

    line: int
    text: str
    arguments: Mapping[str, Any] | None


@dataclass(slots=True)
class WorkloadCheck:
    """Counts what a workload's bundles and rejects come to."""

    job: Job
    registry: Registry
    knows_all: bool
    """Whether every handler is known, so that a name without one is a reject."""
    tasks: int = 0
    bundles: int = 0
    rejected: int = 0
    names: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)
    first: FirstTask | None = None
    groups: list[ErrorGroup] = field(default_factory=list)
    _search: MisfitSearch = field(init=False)

    def __post_init__(self) -> None:
        self._search = MisfitSearch(self.registry, knows_all=self.knows_all)

    def read(self, packed: Iterator[PackedBundle | Reject]) -> None:
        """Take in all bundles and rejects, in order."""
        rejects = self._search.rejects(map(self._counted, packed))
        self.groups = list(group_errors(map(_outcome, map(self._kept, rejects))))

    def _counted(self, item: PackedBundle | Reject) -> PackedBundle | Reject:
        if isinstance(item, PackedBundle):
            self.bundles += 1
            self.tasks += len(item.tasks)
            if len(self.names) < _MOST_NAMES:
                self.names.update(parse_task(text).name for text in item.tasks)
            if self.first is None:
                self.first = self._first_of(item)
        return item

    def _kept(self, reject: Reject) -> Reject:
        self.rejected += 1
        if len(self.rejects) < _MOST_REJECTS:
            self.rejects.append(reject)
        return reject

    def _first_of(self, item: PackedBundle) -> FirstTask | None:
        for line, text in zip(item.lines, item.tasks, strict=True):
            task = parse_task(text)
            if task.name not in self.registry.names:
                return None if self.knows_all else FirstTask(line, text, None)
            try:
                return FirstTask(line, text, self._arguments(task))
            except TaskRejectedError:
                continue
        return None

    def _arguments(self, task: Task) -> Mapping[str, Any]:
        handler = self.registry.find(task)
        args, kwargs = handler.bind(task)
        return handler.binder.named(args) | dict(kwargs)

    @property
    def total(self) -> int:
        """Every line that claims to be a task."""
        return self._search.fit + self.rejected

    @property
    def unchecked(self) -> list[str]:
        """The names whose arguments nobody has looked at: their handlers are elsewhere."""
        return [] if self.knows_all else sorted(set(self.names) - set(self.registry.names))

    @property
    def form(self) -> Form | None:
        return None if self.job.form is None else Form.parse(self.job.form)

    def as_json(self) -> dict[str, Any]:
        form, job = self.form, self.job
        return {
            "total": self.total,
            "tasks": self._search.fit,
            "rejected": self.rejected,
            "bundles": self.bundles,
            "bundle_size": job.bundle_size,
            "ranges": job.ranges,
            "retries": job.retries,
            "timeout_s": job.timeout_s,
            "names": dict(self.names.most_common()),
            "unchecked": self.unchecked,
            "form": None
            if form is None
            else {"each": form.each, "task": form.task, "format": form.format, "columns": list(form.columns)},
            "first": None
            if self.first is None
            else {"task": self.first.line, "text": self.first.text, "arguments": _shown(self.first.arguments)},
            "rejects": [{"task": each.line, "reason": each.reason, "text": each.text} for each in self.rejects],
        }


def _shown(arguments: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The arguments as JSON can hold them; what is no JSON as Python writes it."""
    if arguments is None:
        return None
    return {
        name: value if value is None or isinstance(value, str | int | float) else repr(value)
        for name, value in arguments.items()
    }


def _outcome(reject: Reject) -> dict[str, Any]:
    return {"task": reject.line, "state": TaskState.REJECTED.word, "error": reject.reason}
