"""Queues, a ledger and workers without threads: what a worker's threads call in their loops is called here in turn."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cloudkon.clock import Clock
from cloudkon.handlers.registry import Registry, task
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import TaskState
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import Depth, MemoryQueue
from cloudkon.messages.wire import decode_completion, encode_bundle
from cloudkon.ports import Tracer
from cloudkon.settings import Settings
from cloudkon.telemetry.tracing import NoTracer
from ec2_worker.pipeline.in_flight import Held
from ec2_worker.pipeline.settler import Settlement
from ec2_worker.services import Surroundings
from ec2_worker.worker import Worker
from tests.support.data.rows import job as some_job
from tests.support.manual_clock import ManualClock

JOB = "job-abcdefghijkl"
EMPTY = Depth(visible=0, in_flight=0)
_STEPS_TO_THE_END = 600

Wrap = Callable[[str, Any], Any]
"""Gets a port and its name; returns what a worker is given instead."""


class World:
    """All that workers share, and what their tasks did."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = ManualClock()
        self.tasks = MemoryQueue(self.clock)
        self.process = MemoryQueue(self.clock)
        self.dead_letters = MemoryQueue(self.clock)
        self.ledger = SqliteLedger(None, guard_ms=settings.guard_ms)
        self.tracer: Tracer = NoTracer()
        self.runs: Counter[str] = Counter()
        self.completions: list[dict[str, Any]] = []

    def send(self, *lines: str, number: int = 0) -> Bundle:
        """Put a bundle of these tasks on the queue."""
        key = BundleKey(JOB, 0, number)
        now_ms = self.clock.now_ms()
        bundle = Bundle(key, LineNumbers.of(range(100 * number, 100 * number + len(lines))), lines, now_ms, now_ms)
        self.tasks.send([encode_bundle(bundle)])
        return bundle

    def again(self, bundle: Bundle) -> None:
        """Put the same bundle on the queue once more, as a Lambda retry does."""
        self.tasks.send([encode_bundle(replace(bundle, sent_ms=self.clock.now_ms()))])

    def row(self, number: int = 0) -> BundleRow | None:
        return self.rows().get((0, number))

    def rows(self, job: str = JOB) -> dict[tuple[int, int], BundleRow]:
        return {(row.key.range, row.key.number): row for row in self.ledger.bundles(some_job(job))}

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
        last = Machine(self, "the-last")
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


class Machine:
    """A worker of a world."""

    def __init__(
        self, world: World, name: str, wrap: Wrap = lambda _, port: port, *, clock: Clock | None = None
    ) -> None:
        self.world = world
        self.name = name
        clock = self.clock = clock or world.clock
        around = Surroundings(
            tasks=wrap("tasks", world.tasks),
            process=wrap("process", world.process),
            dead_letters=wrap("dead_letters", world.dead_letters),
            ledger=wrap("ledger", world.ledger),
            results=None,  # type: ignore[arg-type]  # no value here is large enough for it
            clock=clock,
            tracer=world.tracer,
        )
        self.worker = Worker(around, Registry([self._note(), self._stumble()]), world.settings, name=name, slots=1)
        self.worker.slots.trial = wrap("task", self.worker.slots.trial)
        self._unsettled: list[Settlement] = []

    def _note(self) -> Callable[[str], None]:
        @task("note")
        def note(what: str) -> None:
            self.world.runs[what] += 1

        return note

    def _stumble(self) -> Callable[[str], None]:
        @task("stumble")
        def stumble(what: str) -> None:
            self.world.runs[what] += 1
            if self.world.runs[what] == 1:
                raise ValueError("the first time is always hard")

        return stumble

    def holds(self) -> list[Held]:
        return sorted(self.worker.keeper.holdings.all(), key=lambda held: held.lease.key)

    def receive(self) -> None:
        receiver = self.worker.receiver
        for delivery in receiver.queue.receive(2, 0.0, self.world.settings.visibility_s):
            receiver.take(delivery)

    def run_one(self) -> bool:
        """Run the next task of what is held; False if there is none, or none may be started."""
        return any(self.worker.slots.run_next(held) for held in self.holds())

    def keep(self) -> None:
        self.worker.keeper.tick()

    def settle(self) -> None:
        settler = self.worker.settler
        while not settler.inbox.empty():
            item = settler.inbox.get()
            assert isinstance(item, Settlement)
            self._unsettled.append(item)
        self._unsettled = settler.settle(self._unsettled)

    def give_back(self) -> None:
        """As a drain does with what does not fit."""
        for held in self.holds():
            self.worker.keeper.give_back(held)

    def step(self, seconds: float = 1.0) -> None:
        """Live for a while: a bite of everything."""
        if not self.holds():
            self.receive()
        self.run_one()
        self.settle()
        self.keep()
        self.world.clock.advance(seconds)
