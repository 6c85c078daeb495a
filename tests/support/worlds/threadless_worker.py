"""A worker without its threads, over a queue and a ledger in memory: a test calls what the threads would."""

from dataclasses import dataclass, field
from typing import Any

from cloudkon.handlers.registry import Registry, task
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.messages.wire import encode_bundle
from cloudkon.settings import Settings
from ec2_worker.pipeline.settler import Settlement
from ec2_worker.services import Surroundings
from ec2_worker.worker import Worker
from tests.support.data import rows
from tests.support.manual_clock import ManualClock

JOB = "sleeps-abcdefghijkl"


@task("pass")
def _pass() -> None:
    pass


@task("fail")
def _fail() -> None:
    raise ValueError("boom")


@dataclass
class Bench:
    """One job, and one worker that runs what is sent of it."""

    clock: ManualClock = field(default_factory=ManualClock)
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        self.tasks, self.process = MemoryQueue(self.clock), MemoryQueue(self.clock)
        self.ledger = SqliteLedger(None, guard_ms=self.settings.guard_ms)
        self.ledger.open(rows.job(JOB))
        self.sent = 0
        self.worker = self.another()

    def another(self) -> Worker:
        around = Surroundings(
            tasks=self.tasks,
            process=self.process,
            dead_letters=MemoryQueue(self.clock),
            ledger=self.ledger,
            results=None,  # type: ignore[arg-type]  # no value here is large enough for it
            clock=self.clock,
        )
        return Worker(around, Registry([_pass, _fail]), self.settings, name="w1", slots=1)

    def send(self, *tasks: str, job: str = JOB) -> None:
        lines = LineNumbers.of(range(1, 1 + len(tasks)))
        bundle = Bundle(BundleKey(job, 0, self.sent), lines, tasks, rows.NOW_MS, rows.NOW_MS)
        self.sent += 1
        self.tasks.send([encode_bundle(bundle)])

    def receive(self) -> None:
        for delivery in self.tasks.receive(10, 0.0, self.settings.visibility_s):
            self.worker.receiver.take(delivery)

    def run_one(self) -> None:
        for held in self.worker.keeper.holdings.all():
            self.worker.slots.run_next(held)

    def settle(self) -> None:
        settler = self.worker.settler
        found: list[Any] = []
        while not settler.inbox.empty():
            found.append(settler.inbox.get())
        assert not settler.settle([item for item in found if isinstance(item, Settlement)])

    def work(self) -> None:
        """Receive what there is, run it, settle it."""
        self.receive()
        while any(held.waiting for held in self.worker.keeper.holdings.all()):
            self.run_one()
        self.settle()

    @property
    def job(self) -> Job:
        found = self.ledger.job(JOB)
        assert found is not None
        return found

    @property
    def rows(self) -> list[BundleRow]:
        return list(self.ledger.bundles(self.job))
