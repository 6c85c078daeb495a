"""Queues, a ledger, and workers without threads: a test calls, step by step, what a worker's threads would."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cloudkon.clock import Clock
from cloudkon.handlers.registry import Registry, task
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import Depth, MemoryQueue
from cloudkon.messages.wire import decode_completion, encode_bundle
from cloudkon.ports import Tracer
from cloudkon.settings import Settings
from cloudkon.telemetry.tracing import NoTracer
from ec2_worker import assembly
from ec2_worker.pipeline.in_flight import InFlightBundle
from ec2_worker.pipeline.settler import Settlement
from ec2_worker.services import Services
from ec2_worker.worker import Worker
from tests.support.data import rows
from tests.support.manual_clock import ManualClock

JOB = "sleeps-abcdefghijkl"
EMPTY = Depth(visible=0, in_flight=0)
_STEPS_TO_THE_END = 600

Handler = Callable[..., Any]
Wrap = Callable[[str, Any], Any]
"""Gets a port and its name; returns what a worker is given instead."""


@task("pass")
def _pass() -> None: ...


@task("fail")
def _fail() -> None:
    raise ValueError("boom")


class WorkerWorld:
    """All that workers share, and what their tasks did.

    Its workers know the tasks note (counted in runs), stumble (fails the first time), pass and fail, and the handlers
    that it is given.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *handlers: Handler,
        clock: Any = None,
        store: Any = None,  # where no value is large enough for it, none is needed
    ) -> None:
        self.settings = settings or Settings()
        self.clock = clock or ManualClock()
        self.tasks = MemoryQueue(self.clock)
        self.process = MemoryQueue(self.clock)
        self.dead_letters = MemoryQueue(self.clock)
        self.ledger = SqliteLedger(None, guard_ms=self.settings.guard_ms)
        self.store = store
        self.tracer: Tracer = NoTracer()
        self.runs: Counter[str] = Counter()
        self.completions: list[dict[str, Any]] = []
        self.handlers: list[Handler] = [_pass, _fail, self._note(), self._stumble(), *handlers]
        self._sent: Counter[str] = Counter()

    def _note(self) -> Handler:
        @task("note")
        def note(what: str) -> None:
            self.runs[what] += 1

        return note

    def _stumble(self) -> Handler:
        @task("stumble")
        def stumble(what: str) -> None:
            self.runs[what] += 1
            if self.runs[what] == 1:
                raise ValueError("the first time is always hard")

        return stumble

    def services(self, wrap: Wrap = lambda _, port: port, clock: Clock | None = None, **more: Any) -> Services:
        return Services(
            tasks=wrap("tasks", self.tasks),
            process=wrap("process", self.process),
            dead_letters=wrap("dead_letters", self.dead_letters),
            ledger=wrap("ledger", self.ledger),
            results=wrap("results", self.store),
            clock=clock or self.clock,
            tracer=self.tracer,
            **more,
        )

    def build(self, services: Services, name: str = "w1", *, supervised: bool = False) -> Worker:
        return assembly.build(
            services, Registry(self.handlers), self.settings, name=name, slots=1, supervised=supervised
        )

    def open_job(self) -> Job:
        return self.ledger.open(rows.job(JOB))

    @property
    def job(self) -> Job:
        """The job's row as it stands."""
        found = self.ledger.job(JOB)
        assert found is not None
        return found

    def send(self, *lines: str, number: int | None = None, job: str = JOB, **options: Any) -> Bundle:
        """Put a bundle of these tasks on the queue: the next one of the job, unless a number is given."""
        number = self._sent[job] if number is None else number
        self._sent[job] = number + 1
        now_ms = self.clock.now_ms()
        numbers = LineNumbers.of(range(100 * number, 100 * number + len(lines)))
        bundle = Bundle(BundleKey(job, 0, number), numbers, lines, now_ms, now_ms, **options)
        self.ledger.open(rows.job(job))
        self.tasks.send([encode_bundle(bundle)])
        return bundle

    def again(self, bundle: Bundle) -> None:
        """Put the same bundle on the queue once more, as a Lambda retry does."""
        self.tasks.send([encode_bundle(replace(bundle, sent_ms=self.clock.now_ms()))])

    @property
    def waiting(self) -> int:
        """How many messages are on the queue, hidden ones too."""
        depth = self.tasks.depth()
        return depth.visible + depth.in_flight + depth.delayed

    def row(self, number: int = 0) -> BundleRow | None:
        return self.rows().get((0, number))

    def rows(self, job: str = JOB) -> dict[tuple[int, int], BundleRow]:
        return {(row.key.range, row.key.number): row for row in self.ledger.bundles(rows.job(job))}

    def states(self, job: str = JOB) -> list[BundleState]:
        return [row.state for _, row in sorted(self.rows(job).items())]

    def results(self, number: int = 0) -> list[TaskResult]:
        """The results of a bundle that is done."""
        row = self.row(number)
        assert row is not None
        assert row.state is BundleState.DONE
        return [result for result in row.results if result is not None]

    def collect(self) -> Counter[str]:
        """Take the completion records off the process queue; return how many there have been of each bundle."""
        while found := self.process.receive(10, 0.0, 1.0):
            for delivery in found:
                completion = decode_completion(delivery.body)
                self.completions.append({"bundle": completion.bundle, "tasks": list(completion.tasks)})
            self.process.delete([delivery.receipt for delivery in found])
        return Counter(completion["bundle"] for completion in self.completions)

    def end_well(self, job: str = JOB) -> None:
        """Let a healthy worker do what is left; assert that nothing is lost, failed, recorded twice or left over."""
        last = SteppedWorker(self, "the-last")
        for _ in range(_STEPS_TO_THE_END):
            if self.tasks.depth() == EMPTY:
                break
            last.step()
        assert self.tasks.depth() == EMPTY, "a message is left over"
        assert self.dead_letters.depth() == EMPTY, "a message was given up"
        told = self.collect()
        for row in self.rows(job).values():
            assert row.state is BundleState.DONE, f"{row.key} is not done"
            states = [result and result.state for result in row.results]
            assert states == [TaskState.SUCCEEDED] * len(row.lines), f"{row.key} ended {states}"
            assert told[row.key.id] >= 1, f"nobody was told of {row.key}"
        for bundle in told:
            records = [completion for completion in self.completions if completion["bundle"] == bundle]
            assert all(record == records[0] for record in records), f"{bundle} was told in two ways"


class SteppedWorker:
    """A worker of a world, without its threads."""

    def __init__(
        self,
        world: WorkerWorld,
        name: str = "w1",
        wrap: Wrap = lambda _, port: port,
        *,
        clock: Clock | None = None,
        supervised: bool = False,
    ) -> None:
        self.world = world
        self.name = name
        self.clock = clock or world.clock
        self.worker = world.build(world.services(wrap, self.clock), name, supervised=supervised)
        self.worker.slots.task_runner = wrap("task", self.worker.slots.task_runner)
        self._unsettled: list[Settlement] = []

    def holds(self) -> list[InFlightBundle]:
        return sorted(self.worker.in_flight.all(), key=lambda bundle: bundle.lease.key)

    def receive(self, most: int = 2) -> None:
        receiver = self.worker.receiver
        receiver.take(receiver.queue.receive(most, 0.0, self.world.settings.visibility_s))

    def run_one(self) -> bool:
        """Run the next task of what is in flight; False if there is none, or none may be started."""
        return any(self.worker.slots.run_next(bundle) for bundle in self.holds())

    def run_all(self) -> None:
        """Run every task of what is in flight."""
        while self.run_one():
            pass

    def keep(self) -> None:
        """What the threads by the clock do: values are stored, leases renewed, results recorded."""
        self.worker.values.tick()
        self.worker.heartbeat.tick()

    def settle(self) -> None:
        settler = self.worker.settler
        while not settler.inbox.empty():
            item = settler.inbox.get()
            assert isinstance(item, Settlement)
            self._unsettled.append(item)
        self._unsettled = settler.settle(self._unsettled)

    @property
    def unsettled(self) -> list[Settlement]:
        return self._unsettled

    def give_back(self) -> None:
        """As a drain does with what does not fit."""
        for bundle in self.holds():
            self.worker.heartbeat.give_back(bundle)

    def work(self) -> None:
        """Receive what there is, run it, settle it."""
        self.receive(10)
        self.run_all()
        self.settle()
        assert not self._unsettled

    def step(self, seconds: float = 1.0) -> None:
        """Live for a while: a bite of everything."""
        if not self.holds():
            self.receive()
        self.run_one()
        self.settle()
        self.keep()
        self.world.clock.advance(seconds)
