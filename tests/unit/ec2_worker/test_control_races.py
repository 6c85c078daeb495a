"""A job is paused, resumed, cancelled and retried while workers are at it, over memory and over a file."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cloudkon.handlers.registry import task
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.job import Job
from cloudkon.ledger.results import TaskState
from cloudkon.local.ledger import SqliteLedger
from ec2_worker.pipeline.admission import KNOWN_S
from tests.support.data import rows
from tests.support.worlds.worker_world import JOB, SteppedWorker, WorkerWorld

RETRY = "retry-abcdefghijkl"
_BUNDLES, _TASKS = 5, 2


class ControlRaces(RuleBasedStateMachine):
    """Two workers, and somebody who changes their mind about the job."""

    @initialize(on_file=st.booleans())
    def dispatch(self, on_file: bool) -> None:  # noqa: FBT001 (what Hypothesis draws)
        self.opened = ExitStack()
        self.begun: Counter[str] = Counter()
        self.broken: list[str] = []
        self.halted_s: float | None = None
        """Since when the job is paused or cancelled."""
        self.cancelled: Job | None = None

        @task("begin")
        def begin(what: str) -> None:
            self.begun[what] += 1

        world = self.world = WorkerWorld(None, begin)
        world.ledger.close()
        path = Path(self.opened.enter_context(TemporaryDirectory())) / "ledger.sqlite3" if on_file else None
        world.ledger = self._ledger(path)
        self.control = self._ledger(path) if on_file else world.ledger
        self.sent: list[Bundle] = [
            world.send(*(f"begin {number}.{index}" for index in range(_TASKS))) for number in range(_BUNDLES)
        ]
        self.seats = [SteppedWorker(world, name) for name in ("a", "b")]

    def _ledger(self, path: Path | None) -> SqliteLedger:
        ledger = SqliteLedger(path, guard_ms=2_000)
        self.opened.callback(ledger.close)
        return ledger

    @rule(verb=st.sampled_from(["pause", "resume", "cancel"]))
    def command(self, verb: str) -> None:
        """Somebody else's process changes the job; it is told how the job stands then."""
        now_ms = self.world.clock.now_ms()
        match verb:
            case "pause":
                job = self.control.pause(JOB, "a look at it", now_ms)
            case "resume":
                job = self.control.resume(JOB, now_ms)
            case _:
                job = self.control.cancel(JOB, now_ms)
        assert job is not None
        assert job == self.world.job
        assert verb != "cancel" or job.cancelled_ms is not None
        if job.cancelled_ms is not None:
            self.cancelled = self.cancelled or job
        if job.cancelled_ms is None and job.paused_ms is None:
            self.halted_s = None
        elif self.halted_s is None:
            self.halted_s = self.world.clock.monotonic_s()

    @rule(
        seat=st.integers(0, 1), action=st.sampled_from(["receive", "run_one", "keep", "settle", "give_back", "cancel"])
    )
    def act(self, seat: int, action: str) -> None:
        """One step of one worker."""
        machine, before = self.seats[seat], self._attempts()
        if action == "cancel":
            machine.worker.canceller.tick()
        else:
            getattr(machine, action)()
        halted = self.halted_s is not None and self.world.clock.monotonic_s() - self.halted_s >= KNOWN_S
        if halted and self._attempts() != before:
            self.broken.append(f"a bundle was claimed by {action}, though its job is halted")

    @rule(verb=st.sampled_from(["pause", "cancel"]), seconds=st.sampled_from([KNOWN_S, 70.0]))
    def halt_and_look(self, verb: str, seconds: float) -> None:
        """The job is halted, and after a while both workers look for more."""
        self.command(verb)
        self.wait(seconds)
        for seat in (0, 1):
            self.act(seat, "receive")

    @rule(seat=st.integers(0, 1))
    def die(self, seat: int) -> None:
        """A worker is not heard of again; another takes its place."""
        self.seats[seat] = SteppedWorker(self.world, f"w{self.world.clock.monotonic_s()}-{seat}")

    @rule(seconds=st.sampled_from([0.5, 2.5, 61.0, 130.0, 160.0]))
    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    def _attempts(self) -> dict[tuple[int, int], int]:
        return {key: row.attempt for key, row in self.world.rows().items()}

    @invariant()
    def cancelled_is_for_good(self) -> None:
        """Whatever is asked afterwards, a job stays cancelled since the first time, and is not paused."""
        assert not self.broken
        if self.cancelled is not None:
            assert self.world.job == self.cancelled

    def teardown(self) -> None:
        """Every task ends once: in the job if it goes on, in its retry if it was cancelled."""
        if not hasattr(self, "sent"):
            return
        with self.opened:
            if self.cancelled is None:
                self.control.resume(JOB, self.world.clock.now_ms())
                self.world.end_well()
                assert set(self.begun) == {line.removeprefix("begin ") for one in self.sent for line in one.tasks}
            else:
                self._retry()

    def _retry(self) -> None:
        """The queue runs dry; what has no result then is what a retry takes, and all of it succeeds there."""
        for _ in range(400):
            for machine in self.seats:
                machine.run_all()
                machine.settle()
                machine.keep()
                machine.worker.canceller.tick()
            machine.receive()
            self.world.clock.advance(5)
            if not self.world.waiting:
                break
        assert not self.world.waiting
        begun = self.begun.copy()
        found = self.world.rows()
        left = []
        for bundle in self.sent:
            row = found.get((bundle.key.range, bundle.key.number))
            results = row.results if row is not None else (None,) * _TASKS
            for line, result in zip(bundle.tasks, results, strict=True):
                assert result is None or result.state is TaskState.SUCCEEDED
                if result is None:
                    left.append(line)
        self.world.ledger.open(rows.job(RETRY))
        if left:
            self.world.send(*left, job=RETRY)
            self.world.end_well(RETRY)
        again = self.begun - begun
        assert set(again) == {line.removeprefix("begin ") for line in left}
        assert set(self.begun) == {line.removeprefix("begin ") for one in self.sent for line in one.tasks}


TestControlRaces = ControlRaces.TestCase
TestControlRaces.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
