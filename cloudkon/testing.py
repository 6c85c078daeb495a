"""For tests of handlers: the context of a task, one task, or a small workload, without a worker and without AWS.

from cloudkon.testing import run, run_workload, task_context

def test_the_report_is_stored(tmp_path):
with task_context(tmp_path) as here:
report("Ada")
assert (tmp_path / here.outputs[0]).read_text() == "All is well, Ada"

def test_a_line_is_understood():
assert run(greet, "greet Ada").value == "Hello, Ada"
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudkon.client.local.local_world import LocalWorld
from cloudkon.clock import SystemClock
from cloudkon.handlers.context import Context, enter, leave, log_of_task
from cloudkon.handlers.deadline import deadline
from cloudkon.handlers.registry import Registry
from cloudkon.handlers.task_log import capturing
from cloudkon.ledger.bundle import BundleKey
from cloudkon.ledger.job import Source
from cloudkon.ledger.results import TaskState
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import Depth
from cloudkon.local.store import FolderStore
from cloudkon.messages.wire import numbered
from cloudkon.reports.task_logs import read_log
from cloudkon.settings import Settings
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.rejects import read_rejects
from dispatcher.dispatch import Dispatcher
from ec2_worker import assembly
from ec2_worker.handlers import handlers

_JOB = "test-aaaaaaaaaaaa"
_IDLE_S = 0.05
_EMPTY = Depth(visible=0, in_flight=0)


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What became of one task, as it is recorded."""

    line: int
    """The number of the task's line, from 1."""
    state: str
    """succeeded, failed or rejected."""
    value: Any = None
    """What the handler returned, as JSON holds it."""
    error: str | None = None
    output: Path | None = None
    """The first file that it stored, if the folder was given."""
    log: str | None = None
    """What it printed and logged, and its traceback, if it failed."""


@contextmanager
def task_context(folder: Path, *, timeout_s: float | None = None) -> Iterator[Context]:
    """Let context() work within the block, and remaining_s() with a timeout [s].

    What is stored goes into the folder, under the keys that store returns and here.outputs lists.
    """
    here = Context(BundleKey(_JOB, 0, 0), 1, 0, FolderStore(folder))
    token = enter(here)
    try:
        with deadline(timeout_s):
            yield here
    finally:
        leave(token)


def run(handler: Callable[..., Any], line: str, *, folder: Path | None = None) -> TaskOutcome:
    """Run one line of a workload with a handler, which is marked with @task; files go into the folder.

    The line's words are converted, the value is recorded, and an error becomes the outcome's, as in a worker.
    """
    return run_workload(line, [handler], folder=folder)[0]


def run_workload(
    text: str, tasks: Sequence[str | Callable[..., Any]], *, folder: Path | None = None, allow: Sequence[str] = ()
) -> list[TaskOutcome]:
    """Run a workload's text as a worker would, with handlers and modules of handlers; return each task's outcome.

    Nothing is tried again unless the workload's header, or the handler, says so, and then after milliseconds. Raises
    InputError for a module that can't be loaded.
    """
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cloudkon-testing-")))
        registry = handlers([task for task in tasks if isinstance(task, str)], allow)
        for task in tasks:
            if not isinstance(task, str):
                registry.add(task)
        outcomes = _Run(place, registry).outcomes(text)
    return outcomes if folder else [_without_file(outcome) for outcome in outcomes]


class _Run:
    """The dispatcher and a worker of one slot, over memory and a folder."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self._folder = folder
        self._clock = SystemClock()
        self._store = FolderStore(folder)
        self._settings = Settings(poll_s=0.02, linger_s=0.001, retries=0, retry_base_s=0.001, retry_cap_s=0.001)
        self._ledger = SqliteLedger(None, guard_ms=self._settings.guard_ms)
        self._world = LocalWorld(self._ledger, self._store, self._clock)
        self._registry = registry

    def outcomes(self, text: str) -> list[TaskOutcome]:
        self._store.write("workload.txt", text.encode())
        world = self._world
        dispatcher = Dispatcher(self._store, self._store, self._ledger, world.waiting, self._clock, slots=1)
        try:
            job = dispatcher.open(Source("TEST", "workload.txt", "1", self._clock.now_ms(), pinned=False))
            dispatcher.dispatch(job)
            while world.waiting.depth() != _EMPTY:
                worker = assembly.build(world.services(), self._registry, self._settings, name="test", slots=1)
                with capturing(log_of_task):
                    worker.run(until_idle_s=_IDLE_S)
            return sorted(self._recorded(job), key=lambda outcome: outcome.line)
        finally:
            self._ledger.close()
            (self._folder / "workload.txt").unlink()

    def _recorded(self, job: Any) -> Iterator[TaskOutcome]:
        reports = self._ledger.dispatched(job.id)
        offsets = LineOffsets(reports)
        for report in reports:
            for reject in read_rejects(self._store, report):
                line = reject.line + (offsets.before(report.range) or 0)
                yield TaskOutcome(line, TaskState.REJECTED.word, error=reject.reason)
        for row in self._ledger.bundles(job):
            for line, result in numbered(row, offsets.before(row.key.range) or 0):
                output = None if result.output is None else self._folder / result.output
                yield TaskOutcome(
                    line, result.state.word, result.value, result.error, output, read_log(self._store, result)
                )


def _without_file(outcome: TaskOutcome) -> TaskOutcome:
    return TaskOutcome(outcome.line, outcome.state, outcome.value, outcome.error, None, outcome.log)
