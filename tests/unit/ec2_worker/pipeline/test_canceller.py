"""What becomes of bundles in a worker's hands when their job is cancelled."""

from collections.abc import Iterator

import pytest

from cloudkon.ledger.lease import BundleState
from cloudkon.local.queue import Depth
from ec2_worker.pipeline.admission import KNOWN_S
from tests.support.data.rows import succeeded
from tests.support.worlds.threadless_worker import JOB, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.ledger.close()


def cancel(bench: Bench) -> None:
    bench.ledger.cancel(JOB, bench.clock.now_ms())
    bench.clock.advance(KNOWN_S)


def test_what_waits_is_not_begun(bench: Bench) -> None:
    """Of a held bundle, the task that was begun is recorded, the others are not begun, and its message goes."""
    bench.send("pass", "pass", "pass")
    bench.receive()
    (held,) = bench.worker.keeper.holdings.all()
    begun = next(held.draw)
    cancel(bench)
    bench.worker.canceller.tick()
    bench.run_one()
    assert bench.rows[0].state is BundleState.LEASED, "a task of it runs"
    held.put(begun, succeeded())
    bench.worker.canceller.tick()
    (row,) = bench.rows
    assert row.state is BundleState.RELEASED
    assert [result is not None for result in row.results] == [True, False, False]
    bench.receive()
    assert (bench.tasks.depth(), bench.rows) == (Depth(0, 0), [row])


def test_a_bundle_whose_last_task_runs_is_completed(bench: Bench) -> None:
    """A bundle without a task that waits ends as ever."""
    bench.send("pass")
    bench.receive()
    (held,) = bench.worker.keeper.holdings.all()
    begun = next(held.draw)
    cancel(bench)
    bench.worker.canceller.tick()
    assert held.put(begun, succeeded())
    bench.worker._finish(held)
    bench.worker.canceller.tick()
    bench.settle()
    assert [row.state for row in bench.rows] == [BundleState.DONE]


def test_other_jobs_go_on(bench: Bench) -> None:
    """What is held of another job, or of a paused one, runs to its end."""
    bench.send("pass", "pass")
    bench.send("pass", "pass", job="another")
    bench.receive()
    bench.ledger.pause(JOB, "lunch", bench.clock.now_ms())
    bench.clock.advance(KNOWN_S)
    bench.worker.canceller.tick()
    assert [held.waiting for held in bench.worker.keeper.holdings.all()] == [2, 2]


def test_a_retry_that_runs_is_waited_for(bench: Bench) -> None:
    """A task that failed before and runs again has not ended by its earlier failure."""
    bench.send("fail", "fail")
    bench.work()
    bench.clock.advance(60)
    bench.receive()
    (held,) = bench.worker.keeper.holdings.all()
    begun = next(held.draw)
    cancel(bench)
    bench.worker.canceller.tick()
    assert [row.state for row in bench.rows] == [BundleState.LEASED], "its second run goes on"
    held.put(begun, succeeded(attempt=2))
    bench.worker.canceller.tick()
    assert [row.state for row in bench.rows] == [BundleState.RELEASED]
