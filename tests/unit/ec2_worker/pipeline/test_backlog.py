"""Which bundle a slot gets next."""

from cloudkon.settings import Settings
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

OWN = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)


def test_slots_share_a_bundle() -> None:
    """A bundle with tasks left is every slot's next one."""
    world = WorkerWorld(OWN)
    world.send("note a", "note b")
    machine = SteppedWorker(world)
    machine.receive()
    backlog = machine.worker.backlog
    (bundle,) = machine.holds()
    assert [backlog.next(), backlog.next()] == [bundle, bundle]


def test_a_bundle_whose_last_worker_died_is_one_slots_alone() -> None:
    """Its tasks run one by one, each under a mark: a second slot gets the bundle behind it."""
    world = WorkerWorld(OWN)
    world.send("note a", "note b")
    SteppedWorker(world, "the-dead").receive()
    world.clock.advance(OWN.visibility_s)
    machine = SteppedWorker(world, "the-next")
    machine.receive()
    world.send("note c")
    machine.receive()
    careful, other = machine.holds()
    assert (careful.careful, other.careful) == (True, False)
    assert [machine.worker.backlog.next(), machine.worker.backlog.next()] == [careful, other]
