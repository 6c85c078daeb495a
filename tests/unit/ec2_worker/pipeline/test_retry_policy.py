"""Three budgets for a task: failed, crashed, interrupted; and what a task that never stops costs the others."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from cloudkon import Permanent, task
from cloudkon.handlers.context import context
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import TaskState
from cloudkon.local.queue import Depth
from cloudkon.settings import Settings
from ec2_worker.pipeline.settler import Settlement
from tests.support.waiting import eventually
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

OWN = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)
Handler = Callable[..., Any]


class World(WorkerWorld):
    """A world whose workers come and go."""

    def __init__(self, *handlers: Handler, settings: Settings = OWN) -> None:
        super().__init__(settings, *handlers)
        self.workers = 0

    def worker(self, *, supervised: bool = False) -> SteppedWorker:
        """A new worker."""
        self.workers += 1
        return SteppedWorker(self, f"w{self.workers}", supervised=supervised)

    def receive(self) -> SteppedWorker:
        """Let a new worker receive what there is."""
        worker = self.worker()
        worker.receive(10)
        return worker

    def work(self) -> None:
        """Let a new worker do what there is."""
        self.worker().work()

    def only_row(self) -> BundleRow:
        (row,) = self.rows().values()
        return row


@task("never")
def never() -> None:
    raise Permanent("the picture does not exist")


def test_a_failure_is_tried_again_until_its_tries_are_used_up() -> None:
    """Three tries by default, each after a wait that the message spends hidden; the last error is kept."""
    world = World()
    world.send("fail", "pass")
    waits = 0
    while world.waiting:
        if world.tasks.depth().visible:
            world.work()
        else:
            waits += 1
            world.clock.advance(0.25)
    failed, fine = world.results()
    assert (failed.state, failed.runs, failed.error) == (TaskState.FAILED, 3, "ValueError: boom")
    assert (fine.state, fine.runs) == (TaskState.SUCCEEDED, 1)


def test_no_lease_and_no_slot_waits_for_a_retry() -> None:
    """Between two tries the bundle is released and its message hidden: any worker may take it up then."""
    world = World(settings=Settings(retry_base_s=60.0, lease_s=12.0, visibility_margin_s=3.0))
    world.send("fail")
    worker = world.worker()
    worker.worker.settler.retry_backoff.uniform = lambda _, bound: bound
    worker.work()
    assert world.only_row().state is BundleState.RELEASED
    assert not worker.holds()
    world.clock.advance(59.0)
    worker.keep()
    assert world.tasks.depth().visible == 0
    world.clock.advance(1.0)
    assert world.tasks.depth().visible == 1


def test_a_long_wait_for_a_retry_is_not_in_flight() -> None:
    """Of what is in flight SQS allows 120,000 a queue, and the scaling counts it as work."""
    world = World(settings=Settings(retry_base_s=300.0))
    world.send("stumble once")
    worker = world.worker()
    worker.worker.settler.retry_backoff.uniform = lambda _, bound: bound
    worker.work()
    assert world.tasks.depth() == Depth(0, 0, 1)
    world.clock.advance(300.0)
    worker.work()
    (result,) = world.results()
    assert (result.state, result.runs, world.waiting) == (TaskState.SUCCEEDED, 2, 0)


def test_a_permanent_failure_is_not_tried_again() -> None:
    """A handler that knows better ends it at once, in its own words."""
    world = World(never)
    world.send("never")
    world.work()
    (result,) = world.results()
    assert (result.state, result.runs, result.error) == (TaskState.FAILED, 1, "the picture does not exist")


@pytest.mark.parametrize(("header", "runs"), [(0, 1), (4, 5), (None, 2)])
def test_the_header_has_the_last_word(header: int | None, runs: int) -> None:
    """The workload's retries win over the handler's, and those over the settings'."""

    @task("own", retries=1)
    def own() -> None:
        raise ValueError

    world = World(own)
    world.send("own", retries=header)
    while world.waiting:
        world.work()
        world.clock.advance(OWN.retry_cap_s)
    assert world.results()[0].runs == runs


def test_a_task_that_kills_its_workers_is_found() -> None:
    """After its strikes it is failed and named; each neighbour succeeds, and none is run once it is recorded."""
    dead: list[bool] = []

    @task("poison")
    def poison() -> None:
        dead.append(True)

    world = World(poison)
    world.send("pass", "pass", "poison", "pass", "pass")
    died = 0
    while world.waiting:
        worker = world.receive()
        while not dead and worker.run_one():
            pass
        if dead:
            dead.clear()
            died += 1
        else:
            worker.settle()
        world.clock.advance(OWN.visibility_s)
    states = [result.state for result in world.results()]
    assert states == [TaskState.SUCCEEDED] * 2 + [TaskState.FAILED] + [TaskState.SUCCEEDED] * 2
    assert world.results()[2].error == "its worker died 2 times while it ran"
    assert died == 3, "once unseen, and twice under the mark"


def test_strikes_are_forgotten_when_the_mark_moves_on() -> None:
    """Workers that die for reasons of their own, each at another task, condemn none of them."""
    world = World()
    world.send(*["pass"] * 6)
    for _ in range(5):
        worker = world.receive()
        (bundle,) = worker.holds()
        worker.run_one()
        worker.worker.heartbeat.mark(bundle)
        world.clock.advance(OWN.visibility_s)
    world.work()
    assert [result.state for result in world.results()] == [TaskState.SUCCEEDED] * 6


def test_a_task_that_has_ended_is_not_blamed_for_the_next_one() -> None:
    """A careful bundle's last task is recorded before its slot goes on: what kills the worker then was not it."""
    world = World()
    world.send("pass")
    for _ in range(1 + OWN.strikes):
        worker = world.receive()
        worker.run_all()  # the worker dies at a task of another bundle, before this one is settled
        world.clock.advance(OWN.visibility_s)
    world.work()
    assert world.results()[0].state is TaskState.SUCCEEDED


def test_an_interruption_is_no_strike() -> None:
    """A careful worker that is drained in the middle of a task gives the bundle back as if it had not begun it."""
    world = World()
    world.send("pass")
    for _ in range(2):
        world.receive()
        world.clock.advance(OWN.visibility_s)
    for _ in range(5):
        worker = world.receive()
        (bundle,) = worker.holds()
        if bundle.careful:
            bundle.mark = None
            assert worker.worker.slots._marked(bundle, 0)
        worker.give_back()
    assert world.only_row().mark is None
    world.work()
    assert world.results()[0].state is TaskState.SUCCEEDED


def test_a_bundle_that_gets_nobody_anywhere_is_given_up() -> None:
    """When worker after worker dies before it could even mark a task, the bundle's tasks are failed."""
    world = World()
    world.send("pass", "pass")
    for _ in range(OWN.fruitless_claims):
        world.receive()
        world.clock.advance(OWN.visibility_s)
    world.work()
    assert {result.error for result in world.results()} == {"given up: 10 workers in a row got nowhere with it"}


def test_the_last_claim_before_a_bundle_is_given_up_still_runs_it() -> None:
    """Of so many fruitless claims the last one may succeed; only the next would give the bundle up."""
    world = World()
    world.send("pass", "pass")
    for _ in range(OWN.fruitless_claims - 1):
        world.receive()
        world.clock.advance(OWN.visibility_s)
    world.work()
    assert {result.state for result in world.results()} == {TaskState.SUCCEEDED}


def test_a_task_that_does_not_stop_is_given_up() -> None:
    """It fails as timed out, its neighbours are recorded, its slot is replaced, and its late end changes nothing."""
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    @task("stuck", retries=0, timeout_s=30.0)
    def stuck() -> str:
        with context().stage("wait"):
            began.set()
            may_end.wait()
        ended.set()
        return "too late"

    world = World(stuck)
    world.send("stuck", "pass")
    machine = world.receive()
    worker = machine.worker
    slot = threading.Thread(target=worker.slots.run)
    slot.start()
    assert began.wait(10)
    world.clock.advance(2.0)
    machine.keep()
    world.clock.advance(28.0 + OWN.overrun_grace_s)
    machine.holds()[0].lease_ends_s = float("inf")  # the beats in between are not what is tried here
    worker.watchdog.tick()
    item = worker.settler.inbox.get(timeout=10)  # the new slot has run the neighbour
    assert isinstance(item, Settlement)
    assert worker.settler.settle([item]) == []
    late, fine = world.results()
    assert (late.state, late.error) == (TaskState.FAILED, "timed out after 30 s, and did not stop")
    assert late.phases_ms is not None  # where it is stuck
    assert late.phases_ms["wait"] >= 30_000
    assert "may_end.wait()" in str(late.log)
    assert "run_next" not in str(late.log), "frames of the worker's own are left out"
    assert str(late.raised_at).endswith("in test_a_task_that_does_not_stop_is_given_up.<locals>.stuck")
    assert fine.state is TaskState.SUCCEEDED
    assert worker.stuck_slots == 1
    may_end.set()
    slot.join(10)
    assert ended.is_set()
    assert not slot.is_alive()
    assert world.only_row().results[0] == late
    worker.backlog.close()


def test_a_supervised_process_asks_to_be_replaced() -> None:
    """A process that has lost a slot for good takes nothing more, and settles what it holds."""
    may_end = threading.Event()

    @task("stuck", retries=0, timeout_s=30.0)
    def stuck() -> None:
        may_end.wait()

    world = World(stuck)
    world.send("stuck")
    machine = world.worker(supervised=True)
    machine.receive()
    worker = machine.worker
    slot = threading.Thread(target=worker.slots.run)
    slot.start()
    eventually(lambda: worker.watchdog.timeouts._runs)
    world.clock.advance(30.0 + OWN.overrun_grace_s)
    worker.watchdog.tick()
    assert worker.receiver.stopping.is_set()
    may_end.set()
    slot.join(10)
    worker.backlog.close()
