"""Bundles that come together are claimed together, and those that end together are recorded together."""

from collections import Counter
from collections.abc import Callable, Sequence
from queue import Empty
from typing import Any

import pytest

from cloudkon.errors import CloudKonError, DeniedError, UnavailableError
from cloudkon.ledger.lease import BundleState, Unanswered
from cloudkon.settings import Settings
from ec2_worker.pipeline.settler import Settlement
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

COUNT = 4
LINGER_S = Settings().linger_s


class Ledger:
    """A ledger whose calls are counted, and whose answers to batches a test may change."""

    def __init__(self, port: Any) -> None:
        self.calls: Counter[str] = Counter()
        self.change: Callable[[str, list[Any]], Sequence[Any]] = lambda _, answers: answers
        self.fail_alone: CloudKonError | None = None
        """What a claim alone raises."""
        self._port = port

    def __getattr__(self, verb: str) -> Any:
        call = getattr(self._port, verb)

        def counted(*arguments: Any) -> Any:
            self.calls[verb] += 1
            if verb == "claim" and self.fail_alone is not None:
                raise self.fail_alone
            answer = call(*arguments)
            return self.change(verb, list(answer)) if verb.endswith("_all") else answer

        return counted

    def leave_out(self, verb: str, at: int, error: CloudKonError, times: int = 1) -> None:
        """Give no answer to one entry of so many of the next batches, though its write has happened."""
        left = times

        def change(asked: str, answers: list[Any]) -> Sequence[Any]:
            nonlocal left
            if asked == verb and left:
                left -= 1
                answers[at] = Unanswered(error)
            return answers

        self.change = change


def world_of(*lines: str) -> tuple[WorkerWorld, SteppedWorker, Ledger]:
    """A worker of a world with a bundle for each line."""
    world = WorkerWorld()
    for line in lines or [f"note {number}" for number in range(COUNT)]:
        world.send(line)
    ledger = Ledger(world.ledger)
    return world, SteppedWorker(world, wrap=lambda name, port: ledger if name == "ledger" else port), ledger


def test_bundles_that_come_together_are_claimed_and_recorded_in_two_calls() -> None:
    """Four bundles of one receive cost one call for their claims and one for their records."""
    world, machine, ledger = world_of()
    machine.work()
    assert world.states() == [BundleState.DONE] * COUNT
    assert (ledger.calls["claim_all"], ledger.calls["complete_all"]) == (1, 1)
    assert (ledger.calls["claim"], ledger.calls["complete"]) == (0, 0)
    assert world.waiting == 0


def test_a_claim_without_an_answer_is_made_again_alone() -> None:
    """The claim that had no answer is known by its token when it is repeated; nothing of it runs twice."""
    world, machine, ledger = world_of()
    ledger.leave_out("claim_all", 1, UnavailableError("no answer"))
    machine.work()
    assert world.states() == [BundleState.DONE] * COUNT
    assert (ledger.calls["claim_all"], ledger.calls["claim"]) == (1, 1)
    assert set(world.runs.values()) == {1}
    assert {row.attempt for row in world.rows().values()} == {1}


def test_claims_that_never_have_an_answer_come_back_later() -> None:
    """After four tries a message is hidden for seconds; the bundles beside it are run meanwhile."""
    world, machine, ledger = world_of()
    ledger.leave_out("claim_all", 0, UnavailableError("no answer"), times=9)

    ledger.fail_alone = UnavailableError("no answer")
    machine.receive(10)
    assert [bundle.message.key.number for bundle in machine.holds()] == [1, 2, 3]
    assert world.tasks.depth().in_flight == COUNT


def test_what_ends_a_worker_at_a_claim_leaves_the_others_held() -> None:
    """Withdrawn permissions end the worker only when the claims beside are held, so that they are given back."""
    world, machine, ledger = world_of()
    ledger.leave_out("claim_all", 0, DeniedError("no"), times=9)
    ledger.fail_alone = DeniedError("no")
    with pytest.raises(DeniedError):
        machine.receive(10)
    assert [bundle.message.key.number for bundle in machine.holds()] == [1, 2, 3]
    machine.give_back()
    assert world.states() == [BundleState.LEASED, *[BundleState.RELEASED] * 3]


def test_a_lost_lease_among_completions_drops_that_bundle_alone() -> None:
    """The bundle that another worker took over is left to it, unforwarded; the others are recorded and forwarded."""
    world, machine, _ = world_of()
    machine.receive(10)
    machine.run_all()
    lost = machine.holds()[2]
    world.ledger.release(lost.lease, (None,))
    machine.settle()
    assert world.states() == [BundleState.DONE, BundleState.DONE, BundleState.RELEASED, BundleState.DONE]
    assert set(world.collect()) == {"00000.000000", "00000.000001", "00000.000003"}
    assert machine.holds() == []
    assert machine.unsettled == []


def test_a_completion_without_an_answer_waits_for_its_next_try_alone() -> None:
    """The others are forwarded and deleted at once; the one without an answer is told once, when it has one."""
    world, machine, ledger = world_of()
    machine.receive(10)
    machine.run_all()
    ledger.leave_out("complete_all", 3, UnavailableError("no answer"))
    machine.settle()
    assert len(machine.unsettled) == 1
    assert len(world.collect()) == COUNT - 1
    machine.settle()
    assert world.collect() == Counter({f"00000.{number:06}": 1 for number in range(COUNT)})
    assert world.waiting == 0


def test_bundles_with_retries_are_released_beside_those_that_are_recorded() -> None:
    """Of bundles that end together, those with a task to retry are released, and the others recorded in one call."""
    world, machine, ledger = world_of("note a", "stumble b", "note c", "stumble d")
    machine.receive(10)
    machine.run_all()
    machine.settle()
    assert world.states() == [BundleState.DONE, BundleState.RELEASED, BundleState.DONE, BundleState.RELEASED]
    assert (ledger.calls["complete_all"], ledger.calls["release"]) == (1, 2)
    world.clock.advance(world.settings.retry_cap_s)
    world.end_well()


class Inbox:
    """Has so many settlements, and notes how long it was asked to wait for each, and for one more."""

    def __init__(self, count: int) -> None:
        self.waits: list[float | None] = []
        self._left = count

    def get(self, *, block: bool, timeout: float | None) -> Settlement:
        self.waits.append(timeout)
        if not self._left:
            raise Empty
        self._left -= 1
        return Settlement(f"receipt {self._left} {block}")


@pytest.mark.parametrize(
    ("running", "count", "expected"),
    [
        (1, 2, [None, 0.25, 0.25]),
        (0, 2, [None, LINGER_S, LINGER_S]),
        (1, 11, [None, *[0.25] * 9, LINGER_S, LINGER_S]),
    ],
    ids=["while others run", "when nothing runs", "when a batch is full"],
)
def test_results_wait_for_a_batch(running: int, count: int, expected: list[float | None]) -> None:
    """A quarter of a second while other bundles are running, and hardly at all where nobody comes, or ten have."""
    world, machine, _ = world_of()
    if running:
        machine.receive()
    settler, inbox = machine.worker.settler, Inbox(count)
    settler.inbox = inbox  # type: ignore[assignment]
    found, _ = settler._gather(wait=True)
    assert len(found) == count
    assert inbox.waits == expected
    world.ledger.close()
