"""A bundle that is in flight in this worker: from its receipt to the deletion of its message."""

import itertools
import operator
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from queue import SimpleQueue
from typing import Any

from cloudkon.handlers.registry import Handler
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.lease import Lease, Mark
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import Results, TaskResult, TaskState
from cloudkon.telemetry.tracing import Steps, step_of
from cloudkon.workload.task_line import Task
from ec2_worker.pipeline.retry_policy import is_careful
from ec2_worker.telemetry.traces import BundleTrace


class InFlightState(StrEnum):
    RUNNING = "running"  # the slots move it on, with its last task; the heartbeat renews its lease
    LAPSED = "lapsed"  # the heartbeat moves it on: nobody renewed the lease in time, so it is given back
    RETURNING = "returning"  # whoever gives it back moves it on
    SETTLING = "settling"  # the settler moves it on: complete, forward, delete; the heartbeat still renews its lease
    GONE = "gone"  # final: settled, released, or its lease is lost


@dataclass(slots=True)
class ReadyTask:
    """A task that may be called: its handler is known, its arguments are bound, and it has no timeout."""

    function: Handler
    arguments: tuple[Sequence[Any], Mapping[str, Any]]
    tries: int
    task: Task


class InFlightBundle:
    """A leased bundle, its results so far, and the tasks that no slot has taken.

    All slots take from one iterator over a list. That is one step of the interpreter, so every task goes to exactly
    one slot without a lock. The same holds for the count of ended tasks.
    """

    __slots__ = (
        "_ended",
        "_to_run",
        "careful",
        "hidden_until_s",
        "is_ordinary",
        "lease",
        "lease_ends_s",
        "left_out",
        "mark",
        "message",
        "ready",
        "receipt",
        "received_ms",
        "recorded",
        "recorded_mark",
        "remaining",
        "results",
        "saved_s",
        "state",
        "task_slots",
        "trace",
        "writing",
    )

    def __init__(
        self,
        message: Bundle,
        lease: Lease,
        results: Results,
        receipt: str,
        *,
        received_ms: int,
        lease_ends_s: float,
        hidden_until_s: float,
        now_s: float,
        trace: BundleTrace | None = None,
        task_slots: int = 1,
    ) -> None:
        columns = ResultColumns.of(results)
        todo = columns.unfinished()
        self.message = message
        self.lease = lease
        self.receipt = receipt
        self.received_ms = received_ms
        self.results = columns
        self.recorded = columns.copy()
        """As the ledger has them."""
        self.left_out: set[int] = set()
        """The positions of results that the last write left out: their values could not be stored yet."""
        self.remaining: Iterator[int] = iter(todo)
        """The positions of the tasks that no slot has taken yet."""
        self.state = InFlightState.RUNNING if todo else InFlightState.SETTLING
        self.lease_ends_s = lease_ends_s
        """By this machine's monotonic clock, less the guard: from then on no task of it is started."""
        self.hidden_until_s = hidden_until_s
        self.saved_s = now_s
        """When the ledger last took its results and renewed its lease."""
        self.task_slots = task_slots
        """How many slots each of its tasks needs."""
        self.careful = is_careful(lease)
        """One slot runs it, with a mark in the ledger before each task."""
        self.mark = lease.mark
        self.recorded_mark: Mark | None = None
        """As the ledger has it from this worker."""
        self.writing = threading.Lock()
        """Held while its row is written: results must reach the ledger in the order they were read in."""
        untried = all(columns[index] is None for index in todo)
        is_plain = message.timeout_s is None and not message.keep_logs
        self.is_ordinary = untried and not self.careful and trace is None and is_plain
        """Its tasks have not been tried before, need no mark, are not traced, and the workload asks nothing of them."""
        self.ready: dict[str, ReadyTask] = {}
        """What the tasks' lines say, where that is the same whenever they are read."""
        self.trace = trace
        """What is collected for its trace; None for almost all bundles, which are not traced."""
        self._to_run = len(todo)
        self._ended = itertools.count(1)

    @property
    def untouched(self) -> bool:
        """No slot has taken a task of it."""
        return self.waiting == self._to_run > 0

    @property
    def waiting(self) -> int:
        """How many of its tasks no slot has taken."""
        return operator.length_hint(self.remaining)

    @property
    def unsaved(self) -> int:
        """How many results the ledger has not seen."""
        return self.results.unrecorded

    @property
    def mean_task_s(self) -> float:
        """The mean time of the tasks that have a result; there must be one."""
        return self.results.mean_duration_us / 1_000_000

    def step(self, name: str) -> AbstractContextManager[None]:
        """Note what the worker does for the bundle in its trace, if it has one."""
        trace = self.trace  # another thread may let go of it
        return step_of(None if trace is None else trace.steps, name)

    def task_steps(self, index: int) -> Steps | None:
        """Where the steps of a task are collected; None for a bundle that is not traced."""
        trace = self.trace
        return None if trace is None else trace.task(index)

    def fail_rest(self, error: str, now_ms: int) -> None:
        """Give every task that has no final result a failure, without running it."""
        for index in self.remaining:
            self.put(index, TaskResult(TaskState.FAILED, now_ms, 0, self.lease.attempt, error=error))

    def put(self, index: int, result: TaskResult) -> bool:
        """Keep the result of a task that a slot took; return True once, for the last task of the bundle."""
        self.results[index] = result
        return self.count_ended()

    def count_ended(self) -> bool:
        """Count a result that was put into its place; return True once, for the last task of the bundle."""
        return next(self._ended) == self._to_run


class InFlight:
    """All bundles that this worker has claimed and not yet settled or given back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bundles: set[InFlightBundle] = set()
        self.stopped: SimpleQueue[tuple[InFlightBundle, frozenset[int]]] = SimpleQueue()
        """Bundles of which no other task begins, and which of their tasks those are: the canceller gives them back."""

    def add(self, bundle: InFlightBundle) -> None:
        with self._lock:
            self._bundles.add(bundle)

    def discard(self, bundle: InFlightBundle) -> None:
        """Let go of a bundle; its trace ends here."""
        bundle.state = InFlightState.GONE
        with self._lock:
            self._bundles.discard(bundle)
            trace, bundle.trace = bundle.trace, None
        if trace is not None:
            trace.end(bundle.lease, bundle.message.lines, bundle.results.copy())

    def stop_job(self, job: str) -> None:
        """Let no other task of a job begin; for any thread."""
        for bundle in self.all():
            if bundle.lease.key.job == job and bundle.state is InFlightState.RUNNING:
                # Emptying the iterator is one step of the interpreter: each task is either begun or taken away.
                self.stopped.put((bundle, frozenset(bundle.remaining)))

    def all(self) -> list[InFlightBundle]:
        with self._lock:
            return list(self._bundles)

    def running(self) -> bool:
        """Whether there are bundles with tasks that have no result yet."""
        return any(bundle.state is InFlightState.RUNNING for bundle in self.all())

    def settling(self) -> int:
        """How many bundles have run, and wait to be recorded."""
        return sum(bundle.state is InFlightState.SETTLING for bundle in self.all())

    def __len__(self) -> int:
        return len(self._bundles)
