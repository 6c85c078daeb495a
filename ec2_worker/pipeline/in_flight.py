"""A bundle in a worker's hands, from its receipt to the deletion of its message."""

import itertools
import operator
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from enum import StrEnum

from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.lease import Lease
from cloudkon.ledger.results import Results, TaskResult, TaskState
from cloudkon.telemetry.tracing import Steps, step_of
from ec2_worker.pipeline.retry_policy import is_careful
from ec2_worker.telemetry.traces import BundleTrace


class Phase(StrEnum):
    RUNNING = "running"  # the slots move it on, with its last task; the keeper renews it
    LAPSED = "lapsed"  # the keeper moves it on: nobody renewed the lease in time, so it is given back
    RETURNING = "returning"  # whoever gives it back moves it on
    SETTLING = "settling"  # the settler moves it on: complete, forward, delete; the keeper goes on keeping it
    GONE = "gone"  # final: settled, released, or its lease is lost


class Held:
    """A leased bundle, its results so far, and the draw from which slots take its next task.

    Slots share the draw: taking from a list's iterator is one step of the interpreter, so every task goes to exactly
    one slot without a lock. The same holds for the count of ended tasks.
    """

    __slots__ = (
        "_ended",
        "_to_run",
        "bundle",
        "careful",
        "draw",
        "hidden_until_s",
        "lease",
        "lease_ends_s",
        "mark",
        "phase",
        "receipt",
        "results",
        "saved_s",
        "trace",
        "writing",
    )

    def __init__(
        self,
        bundle: Bundle,
        lease: Lease,
        results: Results,
        receipt: str,
        *,
        lease_ends_s: float,
        hidden_until_s: float,
        now_s: float,
        trace: BundleTrace | None = None,
    ) -> None:
        todo = [index for index, result in enumerate(results) if result is None or not result.is_final]
        self.bundle = bundle
        self.lease = lease
        self.receipt = receipt
        self.results: list[TaskResult | None] = list(results)
        self.draw: Iterator[int] = iter(todo)
        self.phase = Phase.RUNNING if todo else Phase.SETTLING
        self.lease_ends_s = lease_ends_s
        """By this machine's monotonic clock, less the guard: from then on no task of it is started."""
        self.hidden_until_s = hidden_until_s
        self.saved_s = now_s
        """When its lease was last renewed, with the results there were."""
        self.careful = is_careful(lease)
        """One slot runs it, with a mark in the ledger before each task."""
        self.mark = lease.mark
        self.writing = threading.Lock()
        """Held while its row is written: results must reach the ledger in the order they were read in."""
        self.trace = trace
        """What is told of it, None for almost all."""
        self._to_run = len(todo)
        self._ended = itertools.count(1)

    @property
    def untouched(self) -> bool:
        """No slot has taken a task of it."""
        return self.waiting == self._to_run > 0

    @property
    def waiting(self) -> int:
        """How many of its tasks no slot has taken."""
        return operator.length_hint(self.draw)

    @property
    def unsaved(self) -> int:
        """How many results the ledger has not seen."""
        return sum(result is not None and result.recorded_ms is None for result in self.results)

    @property
    def mean_task_s(self) -> float:
        """Of the tasks that have a result; there is at least one."""
        durations_us = [result.duration_us for result in self.results if result is not None]
        return sum(durations_us) / len(durations_us) / 1_000_000

    def step(self, name: str) -> AbstractContextManager[None]:
        """What the worker does for it, for its trace."""
        trace = self.trace  # another thread may let go of it
        return step_of(None if trace is None else trace.steps, name)

    def task_steps(self, index: int) -> Steps | None:
        """Where the steps of a task are collected, if they are."""
        trace = self.trace
        return None if trace is None else trace.task(index)

    def fail_rest(self, error: str, now_ms: int) -> None:
        """Give every task that has no final result a failure, without running it."""
        for index in self.draw:
            self.put(index, TaskResult(TaskState.FAILED, now_ms, 0, self.lease.attempt, error=error))

    def put(self, index: int, result: TaskResult) -> bool:
        """Take the result of a drawn task; True for the last of the bundle, once."""
        self.results[index] = result
        return next(self._ended) == self._to_run


class Holdings:
    """Everything a worker holds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[Held] = set()

    def add(self, held: Held) -> None:
        with self._lock:
            self._held.add(held)

    def discard(self, held: Held) -> None:
        held.phase = Phase.GONE
        with self._lock:
            self._held.discard(held)
            trace, held.trace = held.trace, None
        if trace is not None:
            trace.end(held.lease, held.bundle.lines, held.results.copy())

    def all(self) -> list[Held]:
        with self._lock:
            return list(self._held)

    def settling(self) -> int:
        """How many bundles have run, and wait to be recorded."""
        return sum(held.phase is Phase.SETTLING for held in self.all())

    def __len__(self) -> int:
        return len(self._held)
