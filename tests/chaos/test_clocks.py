"""The clocks of two workers show times 5 s apart."""

import pytest

from cloudkon.settings import Settings
from tests.support.manual_clock import ManualClock
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

APART_S = 5.0
LEASE = {"lease_s": 30.0, "checkpoint_s": 1.0, "visibility_margin_s": 12.0}
GUARDED = Settings(**LEASE, guard_s=6.0)  # type: ignore[arg-type]
HALF_GUARDED = Settings(**LEASE, guard_s=3.0)  # type: ignore[arg-type]
UNGUARDED = Settings(**LEASE, guard_s=2.0)  # type: ignore[arg-type]


class OwnClock:
    """The world's clock, as one machine shows it."""

    def __init__(self, world: ManualClock, ahead_s: float) -> None:
        self._world = world
        self._ahead_s = ahead_s

    def now_ms(self) -> int:
        return self._world.now_ms() + round(self._ahead_s * 1000)

    def monotonic_s(self) -> float:
        return self._world.monotonic_s()

    def sleep(self, seconds: float) -> None:
        self._world.sleep(seconds)


def worker(world: WorkerWorld, name: str, ahead_s: float = 0.0) -> SteppedWorker:
    return SteppedWorker(world, name, clock=OwnClock(world.clock, ahead_s))


@pytest.mark.parametrize("settings", [Settings(), GUARDED], ids=["by default", "guarded"])
@pytest.mark.parametrize("ahead_s", [APART_S, -APART_S])
def test_workers_that_live_are_not_disturbed(settings: Settings, ahead_s: float) -> None:
    """While both renew their leases nothing runs twice, though every bundle comes to both again and again."""
    world = WorkerWorld(settings)
    bundles = [world.send(*(f"note {number}.{index}" for index in range(40)), number=number) for number in range(2)]
    machines = [worker(world, "a"), worker(world, "b", ahead_s)]
    for step in range(150):
        if step % 5 == 0:
            world.again(bundles[step // 5 % 2])
        for machine in machines:
            machine.receive()
            machine.step(0.5)
    world.end_well()
    assert set(world.runs.values()) == {1}
    assert all(len(row.owners) == 1 for row in world.rows().values())


@pytest.mark.parametrize("settings", [GUARDED, HALF_GUARDED], ids=["guarded", "half guarded"])
@pytest.mark.parametrize("ahead_s", [APART_S, -APART_S])
def test_a_guard_above_the_difference_keeps_owners_apart(settings: Settings, ahead_s: float) -> None:
    """A worker that stalls starts nothing once another may have taken over, whoever's clock is late.

    Where two guards together are above the difference, and one is not, the one before the lease's end and the one
    after it are both needed.
    """
    world = WorkerWorld(settings)
    starts_until_s, taken_at_s = _stall(world, ahead_s)
    assert starts_until_s <= taken_at_s
    world.end_well()


def test_a_guard_far_below_the_difference_costs_a_repeat() -> None:
    """With too small a guard a stalled worker may start a task that another has begun; one result is recorded."""
    world = WorkerWorld(UNGUARDED)
    starts_until_s, taken_at_s = _stall(world, APART_S)
    assert starts_until_s > taken_at_s
    world.end_well()
    assert world.runs["a"] == 2
    row = world.row()
    assert row is not None
    assert row.owners == ("stalled", "another")
    assert [result and result.attempt for result in row.results] == [2, 2]


def _stall(world: WorkerWorld, ahead_s: float) -> tuple[float, float]:
    """One worker claims and stalls, another tries to take over all the time, and both go on from there.

    Returns until when the first would start tasks, and when the second took over.
    """
    bundle = world.send("note a", "note b")
    stalled, another = worker(world, "stalled"), worker(world, "another", ahead_s)
    stalled.receive()
    (held,) = stalled.holds()
    while not another.holds():
        world.again(bundle)
        another.receive()
        world.clock.advance(0.25)
    taken_at_s = world.clock.monotonic_s() - 0.25
    stalled.run_one()
    another.run_one()
    stalled.keep()
    another.run_one()
    another.settle()
    return held.lease_ends_s, taken_at_s
