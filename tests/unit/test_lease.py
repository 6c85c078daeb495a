"""The promises of the design, tried on the ledger's state machine: workers die anywhere, and their clocks differ."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import assert_never

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cloudkon.lease import AlreadyDone, BundleRow, BundleState, Claimed, HeldElsewhere, Kept, Lease, LeaseLost
from cloudkon.local.ledger import SqliteLedger
from cloudkon.results import TaskResult
from tests.support.rows import GUARD_MS, LEASE_MS, NOW_MS, ask, job, key, succeeded

_TASKS = 3
_BUNDLES = st.sampled_from([0, 1])
_OWNERS = st.sampled_from(["a", "b", "c"])
_STEPS_MS = st.sampled_from([1, 500, LEASE_MS // 3, LEASE_MS - GUARD_MS, LEASE_MS, LEASE_MS + GUARD_MS, 2 * LEASE_MS])


@dataclass
class Held:
    """What a worker believes about a bundle that it was given."""

    lease: Lease
    results: list[TaskResult | None]
    taken_over: bool = False


class LeaseMachine(RuleBasedStateMachine):
    """Three workers, two bundles, messages that come at any time and as often as they like."""

    @initialize(skews_ms=st.tuples(*[st.integers(-GUARD_MS // 2, GUARD_MS // 2)] * 3))
    def begin(self, skews_ms: tuple[int, int, int]) -> None:
        self.ledger = SqliteLedger(None, guard_ms=GUARD_MS)
        self.now_ms = NOW_MS
        self.skew_ms = dict(zip("abc", skews_ms, strict=True))
        self.held: dict[tuple[str, int], Held] = {}
        self.claims = 0
        self.runs: Counter[tuple[int, int]] = Counter()
        self.lost: Counter[tuple[int, int]] = Counter()  # runs whose results died before they were recorded
        self.recorded: dict[tuple[int, int], TaskResult] = {}
        self.done: dict[int, BundleRow] = {}

    @rule(step_ms=_STEPS_MS)
    def pass_time(self, step_ms: int) -> None:
        self.now_ms += step_ms

    @rule(owner=_OWNERS, bundle=_BUNDLES, repeated=st.booleans(), dies=st.booleans())
    def claim(self, owner: str, bundle: int, repeated: bool, dies: bool) -> None:  # noqa: FBT001
        self.claims += 1
        claim = ask(key(bundle), owner=owner, token=str(self.claims), now_ms=self.clock_ms(owner), tasks=_TASKS)
        answer = self.ledger.claim(claim)
        if repeated:  # the first answer was lost on its way
            assert self.ledger.claim(claim) == answer
        match answer:
            case Claimed(lease, results):
                self.take_over(bundle)
                self.held[owner, bundle] = Held(lease, list(results))
            case AlreadyDone(row):
                assert row == self.done[bundle]
            case HeldElsewhere(until_ms):
                assert until_ms > self.clock_ms(owner)
            case _:
                assert_never(answer)
        if dies:
            self.die(owner)

    @rule(owner=_OWNERS, bundle=_BUNDLES, task=st.integers(0, _TASKS - 1))
    def run_task(self, owner: str, bundle: int, task: int) -> None:
        held = self.held.get((owner, bundle))
        if held is None or held.results[task] is not None:
            return
        if self.clock_ms(owner) >= held.lease.until_ms - GUARD_MS:
            return  # a worker starts no task on a lease that may have lapsed
        assert not held.taken_over, "two workers run the same bundle at once"
        held.results[task] = succeeded(self.clock_ms(owner), attempt=held.lease.attempt)
        self.runs[bundle, task] += 1
        assert self.runs[bundle, task] == 1 + self.lost[bundle, task], "a task ran again without need"

    @rule(owner=_OWNERS, bundle=_BUNDLES, answered=st.booleans())
    def checkpoint(self, owner: str, bundle: int, answered: bool) -> None:  # noqa: FBT001
        held = self.held.get((owner, bundle))
        if held is None:
            return
        until_ms = self.clock_ms(owner) + LEASE_MS
        answer = self.ledger.checkpoint(held.lease, held.results, until_ms)
        assert isinstance(answer, LeaseLost) == held.taken_over
        if held.taken_over:
            del self.held[owner, bundle]
        elif answered:
            held.lease = replace(held.lease, until_ms=until_ms)

    @rule(owner=_OWNERS, bundle=_BUNDLES, repeated=st.booleans(), dies=st.booleans())
    def complete(self, owner: str, bundle: int, repeated: bool, dies: bool) -> None:  # noqa: FBT001
        held = self.held.get((owner, bundle))
        if held is None or None in held.results:
            return
        answer = self.ledger.complete(held.lease, held.results, self.clock_ms(owner))
        if repeated:
            assert self.ledger.complete(held.lease, held.results, self.clock_ms(owner) + 1) == answer
        assert isinstance(answer, LeaseLost) == held.taken_over
        del self.held[owner, bundle]
        if dies:
            self.die(owner)

    @rule(owner=_OWNERS, bundle=_BUNDLES, repeated=st.booleans())
    def release(self, owner: str, bundle: int, repeated: bool) -> None:  # noqa: FBT001
        held = self.held.pop((owner, bundle), None)
        if held is None:
            return
        answer = self.ledger.release(held.lease, held.results)
        if repeated:
            assert self.ledger.release(held.lease, held.results) == answer
        assert isinstance(answer, LeaseLost) == held.taken_over

    @rule(owner=_OWNERS)
    def die(self, owner: str) -> None:
        for holder, bundle in list(self.held):
            if holder == owner:
                held = self.held.pop((holder, bundle))
                self.lose(bundle, held)

    @invariant()
    def one_result_a_task(self) -> None:
        """A recorded result stays as it is, and a bundle that is done too."""
        for row in self.ledger.bundles(job()):
            for task, result in enumerate(row.results):
                if result is not None:
                    assert self.recorded.setdefault((row.key.number, task), result) == result
                else:
                    assert (row.key.number, task) not in self.recorded
            if row.state is BundleState.DONE:
                assert self.done.setdefault(row.key.number, row) == row
            else:
                assert row.key.number not in self.done

    def teardown(self) -> None:
        """Whatever happened, one last worker finds every task that is not recorded, runs it and records it."""
        for owner in "abc":
            self.die(owner)
        self.now_ms += 2 * (LEASE_MS + GUARD_MS)
        for bundle in (0, 1):
            self.claim("a", bundle, repeated=False, dies=False)
            for task in range(_TASKS):
                self.run_task("a", bundle, task)
            if ("a", bundle) in self.held:
                held = self.held["a", bundle]
                assert isinstance(self.ledger.complete(held.lease, held.results, self.now_ms), Kept)
        self.one_result_a_task()
        assert sorted(self.done) == [0, 1]
        assert all(None not in row.results for row in self.done.values())
        self.ledger.close()

    def clock_ms(self, owner: str) -> int:
        return self.now_ms + self.skew_ms[owner]

    def take_over(self, bundle: int) -> None:
        """Everybody who holds the bundle has lost it, and does not know yet."""
        for (_, number), held in self.held.items():
            if number == bundle and not held.taken_over:
                self.lose(bundle, held)
                held.taken_over = True

    def lose(self, bundle: int, held: Held) -> None:
        if held.taken_over:
            return  # counted when it was
        for task, result in enumerate(held.results):
            if result is not None and (bundle, task) not in self.recorded:
                self.lost[bundle, task] += 1


TestLeaseMachine = LeaseMachine.TestCase
TestLeaseMachine.settings = settings(max_examples=100, stateful_step_count=50)
