"""No accepted task ends as a dead letter because its message was received often, whatever used the receives up."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from cloudkon.errors import CloudKonError, WireError
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.lease import Claim, ClaimAnswer
from cloudkon.ledger.results import TaskState
from cloudkon.messages.wire import decode_undecodable
from cloudkon.ports import Delivery
from cloudkon.settings import Settings
from tests.support.worlds.worker_world import EMPTY, SteppedWorker, WorkerWorld

OWN = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0, retry_cap_s=1.0)
LIMITS = [100, 10, 5, 3, 2]


class RedrivingQueue:
    """A task queue that moves a message away which is received more often than its redrive policy allows."""

    def __init__(self, port: Any, limit: int, dead: list[Delivery]) -> None:
        self._port = port
        self._limit = limit
        self._dead = dead

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._port, verb)

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        found: Sequence[Delivery] = self._port.receive(count, wait_s, visibility_s)
        gone = [delivery for delivery in found if delivery.receive_count > self._limit]
        self._port.delete([delivery.receipt for delivery in gone])
        self._dead += gone
        return [delivery for delivery in found if delivery.receive_count <= self._limit]


class Redriving(WorkerWorld):
    """A world whose task queue has a redrive policy, which its workers know."""

    def __init__(self, limit: int) -> None:
        super().__init__(OWN)
        self.limit = limit
        self.dead: list[Delivery] = []

    def worker(self, name: str = "w1") -> SteppedWorker:
        machine = SteppedWorker(
            self, name, lambda port, it: RedrivingQueue(it, self.limit, self.dead) if port == "tasks" else it
        )
        knows = self.build(self.services(max_receives=self.limit)).receiver
        machine.worker.receiver.replace_at_receives = knows.replace_at_receives
        return machine


@pytest.fixture(params=LIMITS)
def world(request: pytest.FixtureRequest) -> Iterator[Redriving]:
    world = Redriving(request.param)
    yield world
    assert world.dead == []
    world.ledger.close()


def test_a_task_is_tried_as_often_as_it_may_be(world: Redriving) -> None:
    """With 100 retries it runs 101 times, on a queue of any limit; its neighbour succeeds."""
    world.send("fail", "note a", retries=100)
    machine = world.worker()
    for _ in range(1_000):
        machine.step()
        if world.tasks.depth() == EMPTY:
            break
    failed, fine = world.results()
    assert (failed.state, failed.runs, fine.state) == (TaskState.FAILED, 101, TaskState.SUCCEEDED)


def test_no_drain_moves_a_message_away(world: Redriving) -> None:
    """A bundle may be given back as often as machines come and go."""
    world.send("note a")
    for number in range(150):
        machine = world.worker(f"w{number}")
        machine.receive()
        machine.give_back()
    machine = world.worker("the-last")
    while world.waiting:
        machine.step()
    assert [result.state for result in world.results()] == [TaskState.SUCCEEDED]


def test_no_copy_of_a_bundle_that_is_held_moves_away(world: Redriving) -> None:
    """While a long task runs, copies of its bundle come and are hidden again and again."""
    holder, other = world.worker("holder"), world.worker("other")
    bundle = world.send("note a")
    holder.receive()
    world.again(bundle)
    for _ in range(150):
        for _ in range(round(OWN.lease_s)):
            world.clock.advance(1.0)
            holder.keep()
        other.receive()
    holder.run_one()
    while world.waiting:
        holder.step()
        other.step()
    assert [result.state for result in world.results()] == [TaskState.SUCCEEDED]


POISON: list[Exception] = [
    RuntimeError("odd"),
    KeyError("x"),
    CloudKonError("ValidationException: too large."),
    RecursionError(),
]


@pytest.mark.parametrize("error", POISON, ids=repr)
@pytest.mark.parametrize("limit", [100, 3])
def test_a_message_that_workers_stumble_over_ends_no_worker_and_is_set_aside(
    monkeypatch: pytest.MonkeyPatch, error: Exception, limit: int
) -> None:
    """It comes back some times, and goes to the dead letters with the reason; others are worked on meanwhile."""
    world = Redriving(limit)
    bad = world.send("note bad", number=7)
    world.send("note good", number=8)
    machine = world.worker()
    admits = machine.worker.admission.why_refused

    def stumble(bundle: Bundle) -> str | None:
        if bundle.key == bad.key:
            raise error
        return admits(bundle)

    monkeypatch.setattr(machine.worker.admission, "why_refused", stumble)
    for _ in range(60 * limit):
        machine.step()
    assert world.tasks.depth() == EMPTY
    (letter,) = world.dead_letters.receive(10, 0.0, 1.0)
    reason, _ = decode_undecodable(letter.body) or ("", "")
    assert type(error).__name__ in reason
    assert (dict(world.runs), world.dead) == ({"good": 1}, [])
    world.ledger.close()


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 100_000,
        '{"v":1e999}',
        '{"v":1}',
        '"\\ud800"',
        "null",
        "[]",
        "NaN",
    ],
    ids=lambda body: body[:8].encode("unicode_escape").decode(),
)
def test_what_no_dispatcher_sends_is_set_aside_with_its_reason(body: str) -> None:
    """Whatever is put on the queue by hand ends no worker; it is a dead letter at once."""
    world = Redriving(100)
    world.tasks.send([body])
    machine = world.worker()
    machine.receive()
    assert world.tasks.depth() == EMPTY
    assert world.dead_letters.depth().visible == 1
    world.ledger.close()


@pytest.mark.parametrize("error", [WireError("The results of a bundle can't be read."), KeyError("owners")], ids=repr)
def test_a_row_that_cannot_be_read_sets_its_bundle_alone_aside(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What is wrong with one bundle's row in the ledger ends no worker, and the bundles that came with it are run."""
    world = Redriving(3)
    bad = world.send("note bad")
    world.send("note good")
    claim = world.ledger.claim

    def one(ask: Claim) -> ClaimAnswer:
        if ask.key == bad.key:
            raise error
        return claim(ask)

    monkeypatch.setattr(world.ledger, "claim", one)
    monkeypatch.setattr(world.ledger, "claim_all", lambda asks: [one(ask) for ask in asks])
    machine = world.worker()
    for _ in range(200):
        machine.step()
    assert (world.tasks.depth(), world.dead_letters.depth().visible) == (EMPTY, 1)
    assert (dict(world.runs), world.dead) == ({"good": 1}, [])
    world.ledger.close()
