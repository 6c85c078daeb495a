"""The design's four promises, as invariants of workers that crash, stall, lose answers and race for the same bundles.

The steps are the code's own: what a worker's threads call in their loops is called here one at a time.
"""

from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cloudkon.errors import UnavailableError
from cloudkon.handlers.registry import task
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import TaskState
from cloudkon.messages.wire import decode_bundle, decode_completion, encode_bundle
from cloudkon.settings import Settings
from tests.support.data import rows
from tests.support.manual_clock import ManualClock
from tests.support.worlds.fuse import Crash, Fuse, Fused
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

JOB = "job"
OWN = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)
EVENT_MS = 1_000_000
FAULTS = st.tuples(st.integers(1, 6), st.booleans(), st.booleans())
"""At which call of a port, after its work or before, and whether the worker dies or only hears nothing."""


class SkewedClock:
    """The world's clock as one machine shows it: off by less than half the guard."""

    def __init__(self, world: ManualClock, skew_ms: int) -> None:
        self._world = world
        self._skew_ms = skew_ms

    def now_ms(self) -> int:
        return self._world.now_ms() + self._skew_ms

    def monotonic_s(self) -> float:
        return self._world.monotonic_s()

    def sleep(self, seconds: float) -> None:
        self._world.sleep(seconds)


class Machine(SteppedWorker):
    """One worker, whose every call of a port goes through a fuse."""

    def __init__(self, promises: "Promises", name: str, skew_ms: int) -> None:
        fuse = self.fuse = Fuse()

        @task("note")
        def note(line: str) -> None:
            promises.ran(name, line)

        def fused(port_name: str, port: Any) -> Any:
            return port if port_name in {"task", "results"} else Fused(port, fuse)

        promises.world.handlers = [note]
        super().__init__(promises.world, name, fused, clock=SkewedClock(promises.clock, skew_ms))

    def work(self) -> None:
        """All that a message goes through, in its order."""
        self.receive()
        self.run_one()
        self.run_one()
        self.settle()

    def work_slowly(self) -> None:
        """As work, with a checkpoint between the tasks."""
        self.receive()
        self.run_one()
        self.clock.sleep(OWN.checkpoint_s)
        self.keep()
        self.run_one()
        self.settle()


class Promises(RuleBasedStateMachine):
    """Any number of workers over one queue and one ledger."""

    @initialize(sizes=st.lists(st.integers(1, 2), min_size=1, max_size=2))
    def dispatch(self, sizes: list[int]) -> None:
        self.clock = ManualClock(EVENT_MS)
        world = self.world = WorkerWorld(OWN, clock=self.clock)
        self.tasks, self.process, self.ledger = world.tasks, world.process, world.ledger
        self.runs: Counter[str] = Counter()
        self.recorded: dict[tuple[int, int], Any] = {}
        self.forwarded: Counter[str] = Counter()
        self.broken: list[str] = []
        self.started = 0
        self.workload = []
        for number, size in enumerate(sizes):
            lines = LineNumbers.of(range(10 * number, 10 * number + size))
            key = BundleKey(JOB, 0, number)
            self.workload.append(Bundle(key, lines, tuple(f"note {line}" for line in lines), EVENT_MS, EVENT_MS))
        self.ledger.open(rows.job(JOB))
        self.tasks.send([encode_bundle(bundle) for bundle in self.workload])
        self.seats = [self.start(), self.start()]

    def ran(self, name: str, line: str) -> None:
        """Promises 3 and 4, at the moment a task starts: its worker owns its bundle, and it has no result yet."""
        row = self.rows()[int(line) // 10]
        self.runs[line] += 1
        rules = {
            "a task starts while nobody has a lease": row.state is BundleState.LEASED,
            "a task starts whose bundle another holds": row.owner == name,
            "a task starts whose result is recorded": row.results[int(line) % 10] is None,
            "a task starts twice in one attempt": self.runs[line] <= row.attempt,
        }
        # Kept, not raised: whatever a handler raises is only its task's result.
        self.broken += [f"{rule}: {line} on {name}" for rule, holds in rules.items() if not holds]

    def rows(self) -> dict[int, BundleRow]:
        class AnyJob:
            id, shards = JOB, 1

        return {row.key.number: row for row in self.ledger.bundles(AnyJob())}  # type: ignore[arg-type]

    @rule(
        seat=st.integers(0, 1),
        action=st.sampled_from(["work", "work_slowly", "receive", "run_one", "keep", "settle", "give_back"]),
        fault=st.none() | FAULTS,
    )
    def act(self, seat: int, action: str, fault: tuple[int, bool, bool] | None) -> None:
        """One step of one worker, in which at most one call of a port fails, or ends the worker, before or after."""
        machine = self.seats[seat]
        machine.fuse.set(fault)
        try:
            getattr(machine, action)()
        except Crash:
            self.seats[seat] = self.start()
        except UnavailableError:
            pass
        machine.fuse.set(None)

    @rule(
        first=st.integers(0, 1),
        index=st.integers(0, 1),
        seconds=st.sampled_from([0.0, 4.0, 9.5, 11.0, 13.5, 15.5]),
        begun=st.booleans(),
        late_first=st.booleans(),
    )
    def race(self, first: int, index: int, seconds: float, begun: bool, late_first: bool) -> None:  # noqa: FBT001
        """Two workers get the same bundle, so long apart, and then both do all that they still may."""
        self.send_again(index)
        early, late = self.seats[first], self.seats[1 - first]
        early.receive()
        if begun:
            early.run_one()
        self.clock.advance(seconds)
        late.receive()
        for action in ("run_one", "keep", "run_one", "settle"):
            for racer in (late, early) if late_first else (early, late):
                getattr(racer, action)()
            self.clock.advance(OWN.checkpoint_s)

    @rule(seat=st.integers(0, 1), skew_ms=st.integers(-990, 990))
    def die(self, seat: int, skew_ms: int) -> None:
        """It is simply not heard of again; another takes its seat."""
        self.seats[seat] = self.start(skew_ms)

    def start(self, skew_ms: int = 0) -> Machine:
        self.started += 1
        return Machine(self, f"worker-{self.started}", skew_ms)

    @rule(seconds=st.sampled_from([1.1, 9.0, 15.5]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(index=st.integers(0, 2))
    def send_again(self, index: int) -> None:
        """A Lambda retry, or a duplicate S3 event."""
        self.tasks.send([encode_bundle(self.workload[index % len(self.workload)])])

    @invariant()
    def promises_3_and_4_no_task_runs_needlessly(self) -> None:
        assert not self.broken

    @invariant()
    def promise_1_nothing_is_lost(self) -> None:
        """A bundle is done and its completion forwarded, or a message of it is on the queue."""
        self.collect()
        waiting = {decode_bundle(m.body).key.number for m in self.tasks._messages.values()}
        rows = self.rows()
        for bundle in self.workload:
            number = bundle.key.number
            row = rows.get(number)
            done = row is not None and row.state is BundleState.DONE
            assert number in waiting or (done and self.forwarded[bundle.key.id]), f"bundle {number} is lost"

    @invariant()
    def promise_2_one_result_a_task(self) -> None:
        """A recorded result stays as it is; a done bundle has them all."""
        for number, row in self.rows().items():
            for index, result in enumerate(row.results):
                if result is not None:
                    assert self.recorded.setdefault((number, index), result) == result, "a recorded result changed"
                else:
                    assert (number, index) not in self.recorded, "a recorded result is gone"
                    assert row.state is not BundleState.DONE, "a bundle is done without all its results"

    def collect(self) -> None:
        while found := self.process.receive(10, 0.0, 1.0):
            for delivery in found:
                self.forwarded[decode_completion(delivery.body).bundle] += 1
            self.process.delete([delivery.receipt for delivery in found])

    def teardown(self) -> None:
        """Whatever happened, one healthy worker ends it all."""
        if not hasattr(self, "clock"):
            return
        last = Machine(self, "the-last", 0)
        for _ in range(200):
            if not self.world.waiting:
                break
            last.receive()
            for _ in range(3 * len(self.workload)):
                last.run_one()
            last.settle()
            last.keep()
            self.clock.advance(1.0)
        self.collect()
        assert not self.broken
        assert not self.world.waiting, "the queue is not empty at the end"
        for bundle in self.workload:
            row = self.rows()[bundle.key.number]
            assert row.state is BundleState.DONE
            assert [r and r.state for r in row.results] == [TaskState.SUCCEEDED] * len(bundle.tasks)
            assert self.forwarded[bundle.key.id] >= 1
        self.ledger.close()


Promises.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestPromises = Promises.TestCase
