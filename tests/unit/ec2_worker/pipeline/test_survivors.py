"""A worker that was cut off or suspended for a whole lease, and lives, is no worker that a task has killed."""

from cloudkon import task
from cloudkon.ledger.results import TaskState
from cloudkon.settings import Settings
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

OWN = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)


class Cut(BaseException):
    """The task is running, and its worker will not be heard of for a while."""


class World(WorkerWorld):
    """Workers that take one bundle over, one after the other, in the midst of its task."""

    def __init__(self) -> None:
        self.is_cut = True

        @task("long")
        def long() -> None:
            if self.is_cut:
                raise Cut

        super().__init__(OWN, long)
        self.send("long", "pass")
        self.receive("the-dead")

    def receive(self, name: str) -> SteppedWorker:
        self.clock.advance(OWN.visibility_s)
        worker = SteppedWorker(self, name)
        worker.receive()
        return worker

    def cut_off(self, name: str) -> SteppedWorker:
        """A worker that has marked the task and hears nothing more."""
        worker = self.receive(name)
        (bundle,) = worker.holds()
        assert worker.worker.slots._marked(bundle, next(bundle.remaining))
        return worker


def test_owners_that_were_cut_off_and_lived_are_no_strikes() -> None:
    """However many lose their lease while the same task runs, none of it counts once they are back."""
    world = World()
    before = world.cut_off("the-first")
    for number in range(3 * OWN.strikes):
        successor = world.cut_off(f"cut-off-{number}")
        before.keep()
        assert not before.holds()
        before = successor
    world.is_cut = False
    last = world.receive("the-last")
    before.keep()
    last.work()
    assert [result.state for result in world.results()] == [TaskState.SUCCEEDED] * 2


def test_one_that_lived_takes_back_no_strike_of_those_that_died() -> None:
    """Two that are never heard of again are two strikes, whoever was cut off between them."""
    world = World()
    world.cut_off("dead-1")
    back = world.cut_off("cut-off")
    world.cut_off("dead-2")
    back.keep()
    world.receive("the-last").work()
    failed, fine = world.results()
    assert (failed.state, failed.error) == (TaskState.FAILED, "its worker died 2 times while it ran")
    assert fine.state is TaskState.SUCCEEDED


def test_one_that_ended_its_tasks_before_it_heard_of_the_loss_lived_too() -> None:
    """The settler, to which the bundle has gone by then, tells so in the heartbeat's place."""
    world = World()
    world.is_cut = False
    for number in range(OWN.strikes):
        late = world.cut_off(f"cut-off-{number}")
        (bundle,) = late.holds()
        bundle.put(0, late.worker.slots.task_runner.run(bundle, 0))
        world.receive(f"successor-{number}")
        late.worker.slots.finish(bundle)
        late.settle()
        assert not late.holds()
    world.receive("the-last").work()
    assert [result.state for result in world.results()] == [TaskState.SUCCEEDED] * 2
