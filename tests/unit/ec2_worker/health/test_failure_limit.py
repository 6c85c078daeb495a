"""A job is paused when as many of its tasks have failed as its workload allows, on all workers together."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cloudkon.ledger.job import Job
from cloudkon.settings import Settings
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

LIMIT = "max_fails=5: 5 of its tasks have failed"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerWorld]:
    world = WorkerWorld(Settings(breaker_tasks=0, retries=0))
    open_ = world.ledger.open
    monkeypatch.setattr(world.ledger, "open", lambda job: open_(limited(job)))
    world.open_job()
    yield world
    world.ledger.close()


def limited(job: Job) -> Job:
    return replace(job, max_fails="5")


def report(worker: SteppedWorker) -> None:
    """What happens every few seconds: counters are written, and those of others are read."""
    worker.worker.heartbeat.job_counters.flush()
    worker.world.clock.advance(worker.world.settings.report_s + 1)
    worker.worker.failure_limit.tick()


def test_no_task_begins_once_the_limit_is_reached(world: WorkerWorld) -> None:
    """The rest of the bundles that the worker holds is not begun, is given back, and comes to no slot again."""
    worker = SteppedWorker(world)
    world.send(*["fail"] * 4, *["note a"] * 3)
    world.send(*["fail"] * 3, *["note b"] * 3)
    worker.receive()
    worker.run_all()
    assert world.runs == {"a": 3}
    worker.worker.failure_limit.tick()
    worker.worker.canceller.tick()
    assert world.job.pause_reason == LIMIT
    worker.settle()
    assert not worker.holds()
    assert sum(result is not None for row in world.rows().values() for result in row.results) == 8


def test_failures_of_all_workers_count(world: WorkerWorld) -> None:
    """Two workers that have three failures each reach a limit of five, by what they report."""
    one, two = SteppedWorker(world, "w1"), SteppedWorker(world, "w2")
    for worker in (one, two):
        world.send(*["fail"] * 3)
        worker.receive(1)
        worker.run_all()
    report(one)
    assert world.job.paused_ms is None
    report(two)
    two.worker.failure_limit.tick()
    assert world.job.pause_reason == "max_fails=5: 6 of its tasks have failed"


def test_a_resumed_job_is_not_paused_again(world: WorkerWorld) -> None:
    """Whoever lets the job go on knows of its failures: it runs to its end."""
    worker = SteppedWorker(world)
    world.send(*["fail"] * 6)
    worker.receive()
    worker.run_all()
    worker.worker.failure_limit.tick()
    worker.worker.canceller.tick()
    world.ledger.resume(world.job.id, world.clock.now_ms())
    world.clock.advance(60)
    world.send(*["fail"] * 6, "note c")
    for _ in range(3):
        worker.receive()
        worker.run_all()
        worker.worker.failure_limit.tick()
    assert world.job.paused_ms is None
    assert world.runs == {"c": 1}


def test_a_task_that_is_tried_again_has_not_failed(world: WorkerWorld) -> None:
    """Only a task's last try counts."""
    world.settings = Settings(breaker_tasks=0, retries=1)
    worker = SteppedWorker(world)
    world.send(*[f"stumble {number}" for number in range(8)])
    worker.receive()
    worker.run_all()
    worker.worker.failure_limit.tick()
    assert world.job.paused_ms is None
