"""The promises of the design, tried on the ledger's state machine: workers die anywhere, and their clocks differ."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import assert_never

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cloudkon.ledger.lease import AlreadyDone, BundleRow, BundleState, Claimed, HeldElsewhere, Kept, Lease, LeaseLost
from cloudkon.ledger.results import TaskResult
from cloudkon.local.ledger import SqliteLedger
from tests.support.data.rows import GUARD_MS, LEASE_MS, NOW_MS, ask, job, succeeded

_TASKS = 3
_OWNERS = st.sampled_from("abc")
_WAITS_MS = st.sampled_from([0, 500, LEASE_MS // 3, LEASE_MS - GUARD_MS - 500, LEASE_MS + 2 * GUARD_MS])
_SKEWS_MS = st.sampled_from([-GUARD_MS // 2, 0, GUARD_MS // 2])
_YES_OR_NO = st.booleans()


@dataclass(eq=False)
class Held:
    """What a worker believes about a lease that it was given, and whether that is still true."""

    lease: Lease
    results: list[TaskResult | None]
    taken_over: bool = False


class LeaseMachine(RuleBasedStateMachine):
    """Three workers and one bundle, whose message comes at any time and as often as it likes."""

    @initialize(skews_ms=st.tuples(_SKEWS_MS, _SKEWS_MS, _SKEWS_MS))
    def begin(self, skews_ms: tuple[int, int, int]) -> None:
        self.ledger = SqliteLedger(None, guard_ms=GUARD_MS)
        self.now_ms = NOW_MS
        self.skew_ms = dict(zip("abc", skews_ms, strict=True))
        self.held: list[Held] = []
        self.claims = 0
        self.runs: Counter[int] = Counter()  # by task
        self.lost: Counter[int] = Counter()  # runs whose results died before they were recorded
        self.recorded: dict[int, TaskResult] = {}
        self.done: BundleRow | None = None

    @rule(wait_ms=_WAITS_MS, owner=_OWNERS, repeated=_YES_OR_NO)
    def claim(self, wait_ms: int, owner: str, repeated: bool) -> None:  # noqa: FBT001
        self.now_ms += wait_ms
        self.claims += 1
        claim = ask(owner=owner, token=str(self.claims), now_ms=self.clock_ms(owner), tasks=_TASKS)
        answer = self.ledger.claim(claim)
        if repeated:  # the first answer was lost on its way
            assert self.ledger.claim(claim) == answer
        match answer:
            case Claimed(lease, results):
                self.take_over()
                self.held.append(Held(lease, list(results)))
            case AlreadyDone(row):
                assert row == self.done
            case HeldElsewhere(until_ms):
                assert until_ms > self.clock_ms(owner)
            case _:
                assert_never(answer)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), tasks=st.sets(st.integers(0, _TASKS - 1), min_size=1))
    def run_tasks(self, data: st.DataObject, tasks: set[int]) -> None:
        self.run(data.draw(st.sampled_from(self.held)), tasks)

    @precondition(lambda self: self.held)
    @rule(wait_ms=_WAITS_MS, data=st.data(), answered=_YES_OR_NO)
    def checkpoint(self, wait_ms: int, data: st.DataObject, answered: bool) -> None:  # noqa: FBT001
        self.now_ms += wait_ms
        held = data.draw(st.sampled_from(self.held))
        until_ms = self.clock_ms(held.lease.owner) + LEASE_MS
        answer = self.ledger.checkpoint(held.lease, held.results, until_ms)
        assert isinstance(answer, LeaseLost) == held.taken_over
        if held.taken_over:
            self.held.remove(held)
        elif answered:
            held.lease = replace(held.lease, until_ms=until_ms)

    @precondition(lambda self: any(None not in held.results for held in self.held))
    @rule(data=st.data(), repeated=_YES_OR_NO)
    def complete(self, data: st.DataObject, repeated: bool) -> None:  # noqa: FBT001
        held = data.draw(st.sampled_from([held for held in self.held if None not in held.results]))
        now_ms = self.clock_ms(held.lease.owner)
        answer = self.ledger.complete(held.lease, held.results, now_ms)
        if repeated:
            assert self.ledger.complete(held.lease, held.results, now_ms + 1) == answer
        assert isinstance(answer, LeaseLost) == held.taken_over
        self.held.remove(held)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), repeated=_YES_OR_NO)
    def release(self, data: st.DataObject, repeated: bool) -> None:  # noqa: FBT001
        held = data.draw(st.sampled_from(self.held))
        answer = self.ledger.release(held.lease, held.results)
        if repeated:
            assert self.ledger.release(held.lease, held.results) == answer
        assert isinstance(answer, LeaseLost) == held.taken_over
        self.held.remove(held)

    @precondition(lambda self: self.held)
    @rule(owner=_OWNERS)
    def die(self, owner: str) -> None:
        for held in [held for held in self.held if held.lease.owner == owner]:
            self.lose(held)
            self.held.remove(held)

    @invariant()
    def one_worker_at_once(self) -> None:
        """Who was taken over starts no further task, though nobody has told it: its own clock forbids it."""
        assert not any(held.taken_over and self.may_run(held) for held in self.held)

    @invariant()
    def one_result_a_task(self) -> None:
        """A result that is recorded stays as it is, and so does a bundle that is done."""
        for row in self.ledger.bundles(job()):
            for task, result in enumerate(row.results):
                if result is not None:
                    self.recorded.setdefault(task, result)
                assert self.recorded.get(task) == result
            if row.state is BundleState.DONE:
                self.done = self.done or row
            assert self.done in (None, row)

    def teardown(self) -> None:
        """Whatever happened, one last worker finds what is not recorded, runs it and records it."""
        if not hasattr(self, "ledger"):
            return
        for owner in "abc":
            self.die(owner)
        self.now_ms += 2 * (LEASE_MS + GUARD_MS)
        self.claim(0, "a", repeated=False)
        for held in self.held:
            self.run(held, set(range(_TASKS)))
            assert isinstance(self.ledger.complete(held.lease, held.results, self.now_ms), Kept)
        self.one_result_a_task()
        assert self.done is not None
        assert None not in self.done.results
        self.ledger.close()

    def clock_ms(self, owner: str) -> int:
        return self.now_ms + self.skew_ms[owner]

    def may_run(self, held: Held) -> bool:
        """A worker starts no task on a lease that may have lapsed."""
        return self.clock_ms(held.lease.owner) < held.lease.until_ms - GUARD_MS

    def run(self, held: Held, tasks: set[int]) -> None:
        for task in tasks:
            if held.results[task] is None and self.may_run(held):
                held.results[task] = succeeded(self.clock_ms(held.lease.owner), attempt=held.lease.attempt)
                self.runs[task] += 1
                assert self.runs[task] == 1 + self.lost[task], "a task ran again without need"

    def take_over(self) -> None:
        """Everybody who held the bundle has lost it, and does not know yet."""
        for held in self.held:
            self.lose(held)
            held.taken_over = True

    def lose(self, held: Held) -> None:
        """Count the runs that nobody will hear of, once."""
        if not held.taken_over:
            self.lost.update(
                task for task, result in enumerate(held.results) if result is not None and task not in self.recorded
            )


TestLeaseMachine = LeaseMachine.TestCase
TestLeaseMachine.settings = settings(max_examples=200, stateful_step_count=40)
