"""What becomes of what a worker holds when it is told to leave."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cloudkon.errors import NotFoundError
from cloudkon.ledger.lease import BundleState
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.settings import Settings
from ec2_worker.pipeline.in_flight import InFlightBundle
from ec2_worker.worker import Worker
from tests.support.data.rows import job
from tests.support.waiting import eventually
from tests.support.worlds.worker_with_threads import Ward
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld


@pytest.fixture
def ward() -> Iterator[Ward]:
    with Ward(poll_s=0.01, backlog_s=60.0) as ward:
        yield ward


def begin_two(ward: Ward) -> tuple[str, str]:
    """A bundle whose task runs and waits, and one behind it that no slot has begun."""
    ward.does(ward.send())  # from now on the worker knows how short its tasks are, and holds some
    ward.held_up.clear()
    running = ward.send()
    assert ward.does(running)
    waiting = ward.send()
    assert eventually(lambda: waiting in ward.rows())
    return running, waiting


def test_what_has_begun_is_finished_and_the_rest_is_free_at_once(ward: Ward) -> None:
    """Others may have the bundle that nobody had begun while the task that runs goes on."""
    running, waiting = begin_two(ward)
    ward.worker.drain_within(60.0)
    assert eventually(lambda: ward.tasks.depth().visible == 1)
    assert ward.rows()[waiting].state is BundleState.RELEASED
    assert not ward.ended
    ward.held_up.set()
    assert eventually(lambda: ward.ended)
    assert ward.rows()[running].state is BundleState.DONE
    assert waiting not in ward.ran


def test_room_that_a_drain_leaves_is_not_filled() -> None:
    """A worker that waited for room, and is told to leave meanwhile, asks for nothing when a slot falls idle."""
    ward = Ward()  # its threads are not started: this one is the receiver
    ward.send()
    ward.worker.drain_within(60.0)
    assert ward.worker.receiver._receive(0.0) == ()
    (delivery,) = ward.tasks.receive(1, 0.0, 60.0)
    assert delivery.receive_count == 1
    ward.ledger.close()


def test_at_the_deadline_everything_is_given_back(ward: Ward) -> None:
    """A task that does not end in time is free for others at once, and no budget is spent."""
    running, waiting = begin_two(ward)
    ward.worker.drain_within(0.0)
    assert eventually(lambda: ward.ended)
    assert ward.tasks.depth().visible == 2
    for line in (running, waiting):
        row = ward.rows()[line]
        assert (row.state, row.results) == (BundleState.RELEASED, (None,))


def test_a_drain_can_only_be_shortened(ward: Ward) -> None:
    """A spot notice cuts the time of a drain that goes on; a later, longer one changes nothing."""
    begin_two(ward)
    for seconds in (60.0, 0.0, 60.0):
        ward.worker.drain_within(seconds)
    assert eventually(lambda: ward.ended)
    assert ward.tasks.depth().visible == 2


def test_the_settings_bound_a_drain() -> None:
    """Whoever gives a worker more time than drain_s is not obeyed."""
    with Ward(poll_s=0.01, backlog_s=60.0, drain_s=0.0) as ward:
        begin_two(ward)
        ward.worker.drain_within(3_600.0)
        assert eventually(lambda: ward.ended)


def test_a_worker_writes_its_counters_for_the_last_time() -> None:
    """What a worker counted since its last report is in the ledger when it has ended."""
    with Ward(poll_s=0.01, backlog_s=60.0, report_s=3_600.0) as ward:
        running, _ = begin_two(ward)
        ward.world.send(f"tell {running}", number=int(running))  # a copy, to be dropped
        assert eventually(lambda: ward.tasks.depth().visible == 0)
        ward.worker.drain_within(0.0)
        assert eventually(lambda: ward.ended)
        assert [report.duplicates_dropped for report in ward.ledger.workers(job().id)] == [1]


class FailsUnexpectedly:
    """A task runner with a fault of its own, which only one task brings out."""

    def __init__(self, runner: Any, line: str) -> None:
        self._runner = runner
        self._line = line

    def run(self, bundle: InFlightBundle, index: int) -> TaskResult:
        if self._line in bundle.message.tasks[index]:
            raise AssertionError("a fault of the worker")
        result: TaskResult = self._runner.run(bundle, index)
        return result

    def run_all(self, bundle: InFlightBundle) -> Iterator[tuple[int, TaskResult]]:
        for index in bundle.remaining:
            yield index, self.run(bundle, index)


def has_ended_or_waits(slot: threading.Thread, worker: Worker) -> bool:
    return eventually(lambda: not slot.is_alive() or worker.backlog.busy == 0)


def test_a_bundle_that_may_have_ended_its_worker_is_left_for_the_strikes_to_find() -> None:
    """Worker after worker fails of one task: it is found and failed, its neighbours and other bundles succeed."""
    world = WorkerWorld(Settings(lease_s=12.0, guard_s=2.0, visibility_margin_s=3.0))
    world.send("note a", "note odd", "note b")
    failures = 0
    for _ in range(6):
        machine = SteppedWorker(world, f"w{failures}")
        worker = machine.worker
        worker.slots.task_runner = FailsUnexpectedly(worker.slots.task_runner, "odd")  # type: ignore[assignment]
        machine.receive()
        slot = worker.threads.start("slot-1", worker.slots.run)
        assert has_ended_or_waits(slot, worker)
        worker.backlog.close()
        slot.join()
        machine.settle()
        worker.shutdown.give_back_all()
        failures += len(worker.threads.failures)
        world.clock.advance(world.settings.visibility_s)
    states = [result.state for result in world.results()]
    assert states == [TaskState.SUCCEEDED, TaskState.FAILED, TaskState.SUCCEEDED]
    assert world.results()[1].error == "its worker died 2 times while it ran"
    assert (failures, dict(world.runs)) == (3, {"a": 1, "b": 1})
    world.ledger.close()


def test_an_error_of_aws_is_no_bundles_fault() -> None:
    """A worker that ends because its queue is gone gives back at once what it had begun."""
    with Ward(poll_s=0.01, backlog_s=60.0) as ward:
        running, _ = begin_two(ward)
        ward.worker.threads.failures.append(NotFoundError("There is no queue."))
        assert eventually(lambda: ward.ended)
        assert isinstance(ward.ended[0], NotFoundError)
        assert ward.rows()[running].state is BundleState.RELEASED
