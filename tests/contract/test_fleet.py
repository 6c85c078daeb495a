"""What every ledger answers about the workers there are."""

from cloudkon.ledger.fleet import MEMORY_S, Instance, WorkerState
from cloudkon.ports import Ledger
from tests.support.data import rows


def test_nobody_is_there_before_the_first_announces_itself(ledger: Ledger) -> None:
    """A new ledger has no workers."""
    assert list(ledger.fleet(0)) == []


def test_a_worker_is_found_as_it_announced_itself(ledger: Ledger) -> None:
    """Every field is kept, with and without an instance."""
    on_ec2 = rows.worker_status(
        "a",
        state=WorkerState.SICK,
        reason="the disk is full: 12 MB are free in /tmp",
        instance=Instance("i-0abc", "c7g.large", "eu-central-1a", "spot"),
        failing={"sleeps-abc": 3, "größe-def": 0},
        throttled={"sqs.ReceiveMessage": 6, "dynamodb.UpdateItem": 25},
    )
    elsewhere = rows.worker_status("b")
    for status in (on_ec2, elsewhere):
        ledger.announce(status)
    assert sorted(ledger.fleet(0), key=lambda status: status.worker) == [on_ec2, elsewhere]


def test_a_later_word_replaces_an_earlier_one(ledger: Ledger) -> None:
    """The latest stands, and one that was overtaken on its way changes nothing."""
    early, late = rows.worker_status(), rows.worker_status(seen_ms=rows.NOW_MS + 1, state=WorkerState.STOPPED)
    for status in (early, late, early):
        ledger.announce(status)
    assert list(ledger.fleet(0)) == [late]


def test_a_word_of_the_same_moment_replaces_the_one_before(ledger: Ledger) -> None:
    """Of two in one millisecond, the second stands."""
    ledger.announce(rows.worker_status(busy=1))
    ledger.announce(rows.worker_status(busy=2))
    assert [status.busy for status in ledger.fleet(0)] == [2]


def test_only_those_seen_since_then_are_told(ledger: Ledger) -> None:
    """Who was last heard of before is left out."""
    for age_ms in (0, 10, 11):
        ledger.announce(rows.worker_status(f"seen-{age_ms}-ago", seen_ms=rows.NOW_MS - age_ms))
    assert {status.worker for status in ledger.fleet(rows.NOW_MS - 10)} == {"seen-0-ago", "seen-10-ago"}


def test_the_silent_do_not_come_back(ledger: Ledger) -> None:
    """Whoever asks for the memory's length finds nobody older, however many were there."""
    ledger.announce(rows.worker_status("gone", seen_ms=rows.NOW_MS - MEMORY_S * 1000 - 1))
    ledger.announce(rows.worker_status("here"))
    assert [status.worker for status in ledger.fleet(rows.NOW_MS - MEMORY_S * 1000)] == ["here"]


def test_workers_of_a_job_are_others(ledger: Ledger) -> None:
    """What a worker says of a job is no word about itself."""
    ledger.report_worker(rows.worker_report("host-1"))
    assert list(ledger.fleet(0)) == []
