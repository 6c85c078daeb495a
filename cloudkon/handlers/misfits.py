"""Finds the lines that can't be run, by the handlers that there are and without running any of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloudkon.errors import TaskRejectedError
from cloudkon.handlers.registry import Registry
from cloudkon.workload.packing import PackedBundle, Reject
from cloudkon.workload.task_line import LineError, parse_task

_EXCERPT_CHARACTERS = 120


@dataclass(slots=True)
class MisfitSearch:
    """A task is a misfit if no handler has its name, or if its arguments do not fit the handler's."""

    registry: Registry
    knows_all: bool = True
    """Whether a name that no handler has is a misfit: not where the handlers are elsewhere."""
    fit: int = 0
    """How many tasks can be run, of those that were looked at."""

    def rejects(self, packed: Iterable[PackedBundle | Reject]) -> Iterator[Reject]:
        """The lines that are no tasks, and those that no handler can run, with their reasons."""
        fitting = ""  # a line that is the same as the one before costs next to nothing
        for item in packed:
            if isinstance(item, Reject):
                yield item
                continue
            for number, text in zip(item.lines, item.tasks, strict=True):
                if text == fitting or (reason := self._misfit(text)) is None:
                    fitting = text
                    self.fit += 1
                else:
                    yield Reject(number, reason, text[:_EXCERPT_CHARACTERS])

    def _misfit(self, text: str) -> str | None:
        try:
            task = parse_task(text)
            if self.knows_all or task.name in self.registry.names:
                self.registry.find(task).bind(task)
        except (LineError, TaskRejectedError) as refusal:
            return str(refusal)
        return None
