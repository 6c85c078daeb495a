"""What the worker asks before it claims."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from cloudkon.clock import Clock
from cloudkon.errors import UnavailableError
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleState
from cloudkon.local.queue import Depth, MemoryQueue
from cloudkon.messages.parking import ParkedMessages
from ec2_worker.pipeline.admission import KNOWN_S, Admission
from tests.support.worlds.worker_world import JOB, SteppedWorker, WorkerWorld


@pytest.fixture
def machine() -> Iterator[SteppedWorker]:
    machine = SteppedWorker(WorkerWorld())
    machine.world.open_job()
    yield machine
    machine.world.ledger.close()


class Asked:
    """A ledger of one job that counts how often it is asked, and may be silent."""

    def __init__(self, machine: SteppedWorker) -> None:
        self._machine = machine
        self.times = 0
        self.silent = False

    def job(self, job: str) -> Job | None:
        self.times += 1
        if self.silent:
            raise UnavailableError("The ledger is away.")
        return self._machine.world.ledger.job(job)


def admission_of(machine: SteppedWorker, asked: Asked) -> Admission:
    return Admission(machine.world.tasks, asked, machine.world.clock)  # type: ignore[arg-type]  # nothing else of a history is asked


def test_an_open_job_runs(machine: SteppedWorker) -> None:
    """A bundle of an open job, and one of a job without a row, are claimed."""
    machine.world.send("pass")
    machine.world.send("pass", job="nobody-knows")
    machine.receive(10)
    assert len(machine.worker.in_flight) == 2


def test_a_paused_job_is_hidden(machine: SteppedWorker) -> None:
    """A message of a paused job comes back after a minute; nothing is claimed, and then it runs."""
    machine.world.send("pass")
    machine.world.ledger.pause(JOB, "lunch", machine.world.clock.now_ms())
    machine.receive(10)
    assert (list(machine.world.rows().values()), machine.world.tasks.depth()) == ([], Depth(0, 1))
    machine.world.clock.advance(59)
    assert machine.world.tasks.depth() == Depth(0, 1)
    machine.world.ledger.resume(JOB, machine.world.clock.now_ms())
    machine.world.clock.advance(1)
    machine.work()
    assert machine.world.states() == [BundleState.DONE]


def test_a_long_pause_is_looked_at_seldom(machine: SteppedWorker) -> None:
    """A message of a job that was paused for long stays hidden for a quarter of that, at most a quarter of an hour."""
    machine.world.send("pass")
    machine.world.ledger.pause(JOB, "lunch", machine.world.clock.now_ms())
    for paused_s, hidden_s in ((1_000, 250), (100_000, 900)):
        machine.world.clock.advance(paused_s)
        machine.receive(10)
        machine.world.clock.advance(hidden_s - 1)
        assert machine.world.tasks.depth() == Depth(0, 1)
        machine.world.clock.advance(1)
        assert machine.world.tasks.depth() == Depth(1, 0)


def test_a_pause_ends_in_no_dead_letter_queue(machine: SteppedWorker) -> None:
    """However long a job is paused, no message of it is received as often as would have it moved away."""
    machine.world.send("pass")
    machine.world.ledger.pause(JOB, "lunch", machine.world.clock.now_ms())
    most = 0
    for _ in range(200):
        for delivery in machine.world.tasks.receive(10, 0.0, 5.0):
            most = max(most, delivery.receive_count)
            machine.worker.receiver.take([delivery])
        assert sum((machine.world.tasks.depth().visible, machine.world.tasks.depth().in_flight)) == 1
        machine.world.clock.advance(900)
    assert 40 < most < 100


@pytest.fixture
def parking(machine: SteppedWorker) -> MemoryQueue:
    """The queue on which the messages of paused jobs rest."""
    parked = MemoryQueue(machine.world.clock)
    machine.worker.receiver.admission = Admission(
        machine.world.tasks, machine.world.ledger, machine.world.clock, parked
    )
    return parked


def test_a_paused_job_leaves_the_task_queue_to_others(machine: SteppedWorker, parking: MemoryQueue) -> None:
    """None of its messages is visible or in flight there; resumed, they are all back at once, and run once each."""
    world = machine.world
    for _ in range(25):
        world.send("pass")
    world.send("pass", job="another")
    world.ledger.pause(JOB, "lunch", world.clock.now_ms())
    world.ledger.pause("another", "lunch", world.clock.now_ms())
    for _ in range(3):
        machine.receive(10)
    assert (world.tasks.depth(), parking.depth(), world.rows()) == (Depth(0, 0), Depth(26, 0), {})
    world.ledger.resume(JOB, world.clock.now_ms())
    assert ParkedMessages(parking, world.clock, wait_s=0).bring_back(JOB, world.tasks) == 25
    assert (world.tasks.depth(), parking.depth()) == (Depth(25, 0), Depth(1, 0))
    world.clock.advance(KNOWN_S)
    for _ in range(3):
        machine.work()
    assert world.states() == [BundleState.DONE] * 25


class CountedQueue(MemoryQueue):
    """Counts the calls that change it, and may be silent."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.calls: Counter[str] = Counter()
        self.silent = False

    def send_later(self, bodies: Sequence[str], delay_s: float) -> Sequence[int]:
        self.calls["send"] += 1
        if self.silent:
            raise UnavailableError("The queue is away.")
        return super().send_later(bodies, delay_s)


def parked_on(machine: SteppedWorker, queue: MemoryQueue) -> None:
    world = machine.world
    machine.worker.receiver.admission = Admission(world.tasks, world.ledger, world.clock, queue)


def test_the_messages_of_a_receive_are_parked_together(machine: SteppedWorker) -> None:
    """Ten messages of a paused job are one send, one look at its row and one delete."""
    world, parked = machine.world, CountedQueue(machine.world.clock)
    parked_on(machine, parked)
    for job in (JOB, "another"):
        for _ in range(5):
            world.send("pass", job=job)
        world.ledger.pause(job, "lunch", world.clock.now_ms())
    machine.receive(10)
    assert (world.tasks.depth(), parked.depth(), parked.calls) == (Depth(0, 0), Depth(10, 0), {"send": 2})


def test_long_messages_are_parked_in_as_many_sends_as_they_take(machine: SteppedWorker) -> None:
    """What a receive brings may be longer than a batch may be: SQS takes a mebibyte at once."""
    world, parked = machine.world, CountedQueue(machine.world.clock)
    parked_on(machine, parked)
    for _ in range(10):
        world.send("x" * 300_000)
    world.ledger.pause(JOB, "lunch", world.clock.now_ms())
    machine.receive(10)
    assert (world.tasks.depth(), parked.depth(), parked.calls) == (Depth(0, 0), Depth(10, 0), {"send": 4})


def test_what_can_not_be_parked_comes_back(machine: SteppedWorker) -> None:
    """While the parked queue is silent the messages stay on the task queue; later they are parked, each once."""
    world, parked = machine.world, CountedQueue(machine.world.clock)
    parked_on(machine, parked)
    for _ in range(3):
        world.send("pass")
    world.ledger.pause(JOB, "lunch", world.clock.now_ms())
    parked.silent = True
    machine.receive(10)
    assert (world.tasks.depth(), parked.depth()) == (Depth(0, 3), Depth(0, 0))
    parked.silent = False
    world.clock.advance(10)
    machine.receive(10)
    assert (world.tasks.depth(), parked.depth()) == (Depth(0, 0), Depth(3, 0))


def test_a_message_that_meets_a_resume_half_way_stays(machine: SteppedWorker, parking: MemoryQueue) -> None:
    """A worker that does not know yet of a resume parks a copy, and keeps the message: nothing is left behind."""
    world = machine.world
    world.ledger.pause(JOB, "lunch", world.clock.now_ms())
    machine.worker.receiver.admission.job(JOB)  # which is known for two seconds
    world.ledger.resume(JOB, world.clock.now_ms())
    world.send("pass")
    machine.receive(10)
    assert (world.tasks.depth(), parking.depth()) == (Depth(1, 0), Depth(1, 0))
    machine.work()
    assert world.states() == [BundleState.DONE]


def test_what_is_parked_of_a_cancelled_job_goes(machine: SteppedWorker, parking: MemoryQueue) -> None:
    """Its messages are deleted, those of other jobs stay."""
    world = machine.world
    for job in (JOB, JOB, "another"):
        world.send("pass", job=job)
        world.ledger.pause(job, "lunch", world.clock.now_ms())
    machine.receive(10)
    assert ParkedMessages(parking, world.clock, wait_s=0).discard(JOB) == 2
    assert parking.depth() == Depth(1, 0)


def test_a_cancelled_job_is_deleted(machine: SteppedWorker) -> None:
    """A message of a cancelled job is deleted, and nothing of it is claimed."""
    machine.world.send("pass")
    machine.world.ledger.cancel(JOB, machine.world.clock.now_ms())
    machine.receive(10)
    assert (list(machine.world.rows().values()), machine.world.tasks.depth()) == ([], Depth(0, 0))


def test_a_row_is_read_once_in_two_seconds(machine: SteppedWorker) -> None:
    """However many bundles come, from however many threads, a job's row is read once in two seconds."""
    asked = Asked(machine)
    admission = admission_of(machine, asked)
    threads = [threading.Thread(target=admission.job, args=(JOB,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked.times == 1
    machine.world.clock.advance(KNOWN_S - 0.1)
    admission.job(JOB)
    assert asked.times == 1
    machine.world.clock.advance(0.2)
    admission.job(JOB)
    assert asked.times == 2


def test_a_silent_ledger_lets_nothing_in(machine: SteppedWorker) -> None:
    """While the ledger is silent the message comes back in a few seconds; it is asked once for all of them."""
    asked = Asked(machine)
    asked.silent = True
    admission = admission_of(machine, asked)
    machine.worker.receiver.admission = admission
    machine.world.send("pass")
    machine.world.send("pass")
    machine.receive(10)
    assert (list(machine.world.rows().values()), machine.world.tasks.depth(), asked.times) == ([], Depth(0, 2), 1)
    asked.silent = False
    machine.world.clock.advance(5)
    machine.work()
    assert len(machine.world.rows()) == 2
