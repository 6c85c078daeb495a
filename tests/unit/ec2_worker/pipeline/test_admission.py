"""What the worker asks before it claims."""

import threading
from collections.abc import Iterator

import pytest

from cloudkon.errors import UnavailableError
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleState
from cloudkon.local.queue import Depth
from ec2_worker.pipeline.admission import KNOWN_S, Gate
from tests.support.worlds.threadless_worker import JOB, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.ledger.close()


class Asked:
    """A ledger of one job that counts how often it is asked, and may be silent."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.times = 0
        self.silent = False

    def job(self, job: str) -> Job | None:
        self.times += 1
        if self.silent:
            raise UnavailableError("The ledger is away.")
        return self._bench.ledger.job(job)


def gate_of(bench: Bench, asked: Asked) -> Gate:
    return Gate(bench.tasks, asked, bench.clock)  # type: ignore[arg-type]  # nothing else of a history is asked


def test_an_open_job_runs(bench: Bench) -> None:
    """A bundle of an open job, and one of a job without a row, are claimed."""
    bench.send("pass")
    bench.send("pass", job="nobody-knows")
    bench.receive()
    assert len(bench.worker.keeper.holdings) == 2


def test_a_paused_job_is_hidden(bench: Bench) -> None:
    """A message of a paused job comes back after a minute; nothing is claimed, and then it runs."""
    bench.send("pass")
    bench.ledger.pause(JOB, "lunch", bench.clock.now_ms())
    bench.receive()
    assert (bench.rows, bench.tasks.depth()) == ([], Depth(0, 1))
    bench.clock.advance(59)
    assert bench.tasks.depth() == Depth(0, 1)
    bench.ledger.resume(JOB, bench.clock.now_ms())
    bench.clock.advance(1)
    bench.work()
    assert [row.state for row in bench.rows] == [BundleState.DONE]


def test_a_long_pause_is_looked_at_seldom(bench: Bench) -> None:
    """A message of a job that was paused for long stays hidden for a quarter of that, at most a quarter of an hour."""
    bench.send("pass")
    bench.ledger.pause(JOB, "lunch", bench.clock.now_ms())
    for paused_s, hidden_s in ((1_000, 250), (100_000, 900)):
        bench.clock.advance(paused_s)
        bench.receive()
        bench.clock.advance(hidden_s - 1)
        assert bench.tasks.depth() == Depth(0, 1)
        bench.clock.advance(1)
        assert bench.tasks.depth() == Depth(1, 0)


def test_a_pause_ends_in_no_dead_letter_queue(bench: Bench) -> None:
    """However long a job is paused, no message of it is received as often as would have it moved away."""
    bench.send("pass")
    bench.ledger.pause(JOB, "lunch", bench.clock.now_ms())
    most = 0
    for _ in range(200):
        for delivery in bench.tasks.receive(10, 0.0, 5.0):
            most = max(most, delivery.receive_count)
            bench.worker.receiver.take(delivery)
        assert sum((bench.tasks.depth().visible, bench.tasks.depth().in_flight)) == 1
        bench.clock.advance(900)
    assert 40 < most < 100


def test_a_cancelled_job_is_deleted(bench: Bench) -> None:
    """A message of a cancelled job is deleted, and nothing of it is claimed."""
    bench.send("pass")
    bench.ledger.cancel(JOB, bench.clock.now_ms())
    bench.receive()
    assert (bench.rows, bench.tasks.depth()) == ([], Depth(0, 0))


def test_a_row_is_read_once_in_two_seconds(bench: Bench) -> None:
    """However many bundles come, from however many threads, a job's row is read once in two seconds."""
    asked = Asked(bench)
    gate = gate_of(bench, asked)
    threads = [threading.Thread(target=gate.job, args=(JOB,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked.times == 1
    bench.clock.advance(KNOWN_S - 0.1)
    gate.job(JOB)
    assert asked.times == 1
    bench.clock.advance(0.2)
    gate.job(JOB)
    assert asked.times == 2


def test_a_silent_ledger_lets_nothing_in(bench: Bench) -> None:
    """While the ledger is silent the message comes back in a few seconds; it is asked once for all of them."""
    asked = Asked(bench)
    asked.silent = True
    gate = gate_of(bench, asked)
    bench.worker.receiver.admits = gate.admits
    bench.send("pass")
    bench.send("pass")
    bench.receive()
    assert (bench.rows, bench.tasks.depth(), asked.times) == ([], Depth(0, 2), 1)
    asked.silent = False
    bench.clock.advance(5)
    bench.work()
    assert len(bench.rows) == 2
