"""A worker that looks after itself."""

import threading
from collections.abc import Iterator

import pytest

from cloudkon.ledger.fleet import WorkerState
from tests.support.data.rows import job, worker_status
from tests.support.waiting import eventually
from tests.support.worlds.worker_with_threads import PLENTY, Ward


@pytest.fixture
def ward() -> Iterator[Ward]:
    with Ward(ledger_patience_s=0.01, failing_bundles=2) as ward:
        yield ward


def test_a_worker_lists_itself_while_it_works_and_when_it_stops() -> None:
    """Idle, working and stopped are in its row, with what it has done."""
    with Ward() as ward:
        assert ward.becomes(WorkerState.IDLE)
        for _ in range(3):
            assert ward.does(ward.send())
        assert eventually(lambda: ward.row().tasks == 3)
        assert (ward.row().bundles, ward.row().slots) == (3, 1)
        ward.worker.drain_within(5.0, "stopped by a test")
        assert eventually(lambda: ward.ended)
        assert (ward.row().state, ward.row().reason) == (WorkerState.STOPPED, "stopped by a test")


def test_a_full_disk_stops_the_receiver_until_there_is_room(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    """It says so in its row and once in the log, runs nothing meanwhile, and goes on by itself."""
    ward.free_bytes = 0
    assert ward.becomes(WorkerState.SICK)
    assert "0 MB are free" in ward.row().reason
    line = ward.send()
    seen_ms = ward.row().seen_ms
    assert eventually(lambda: ward.row().seen_ms > seen_ms)
    ward.free_bytes = PLENTY
    assert ward.does(line)
    assert f"{line} sick" not in ward.ran
    assert sum(record.message.startswith("Sick: ") for record in caplog.records) == 1


def test_a_silent_ledger_makes_sick_until_it_answers(ward: Ward) -> None:
    """The row can't say so while the ledger is out; the receiver stops all the same."""
    assert ward.becomes(WorkerState.IDLE)
    ward.outage.on = True
    assert eventually(ward.worker.receiver.sick.is_set)
    line = ward.send()
    ward.outage.on = False
    assert ward.does(line)
    assert f"{line} sick" not in ward.ran


def test_tasks_that_fail_only_here_make_sick(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    """While another worker succeeds with the job, this one tries a bundle now and then, until one succeeds."""
    ward.ledger.announce(worker_status("other", failing={job().id: 0}, seen_ms=ward.clock.now_ms() + 60_000))
    ward.fails = True
    for _ in range(2):
        assert ward.does(ward.send())
    assert eventually(lambda: "Sick: 2 bundles of" in caplog.text)
    ward.fails = False
    assert ward.does(ward.send())
    assert eventually(lambda: ward.row().failing == {job().id: 0})
    assert ward.does(ward.send())


def test_tasks_that_fail_everywhere_are_run(ward: Ward) -> None:
    """Alone with a bad workload, a worker goes through it to its end."""
    ward.fails = True
    for _ in range(5):
        assert ward.does(ward.send())
    assert not ward.worker.receiver.sick.is_set()


def test_who_is_sick_for_too_long_leaves() -> None:
    """The worker ends with an error that has an exit code of its own, so that another machine may take its place."""
    with Ward(sick_exit_s=0.05) as ward:
        ward.free_bytes = 0
        assert eventually(lambda: ward.ended)
        assert "This worker has been sick for too long: 0 MB are free" in str(ward.ended[0])
        assert ward.row().state is WorkerState.STOPPED
        assert ward.row().reason.startswith("sick for too long: 0 MB are free")


class ThirdTime(threading.Event):
    """An event that is set by being waited for three times."""

    waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        if self.waits == 3:
            self.set()
        return self.is_set()


def test_the_sick_do_not_even_ask() -> None:
    """A receive counts towards the dead-letter queue, so what can't be worked on is not received."""
    ward = Ward()
    ward.send()
    receiver = ward.worker.receiver
    receiver.stopping = ThirdTime()
    receiver.sick.set()
    receiver.run()
    assert [delivery.receive_count for delivery in ward.tasks.receive(1, 0.0, 1.0)] == [1]
    ward.ledger.close()
