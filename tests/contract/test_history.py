"""What every ledger tells those who ask."""

from cloudkon.ledger.lease import BundleState
from cloudkon.ports import Ledger
from tests.support.data import rows

_DAY_MS = 86_400_000


def test_an_unknown_job_is_none(ledger: Ledger) -> None:
    """A job that was never opened is None."""
    ledger.open(rows.job())
    assert ledger.job("nobody-knows") is None


def test_an_empty_ledger_has_no_history(ledger: Ledger) -> None:
    """A new ledger knows no jobs and no bundles."""
    assert list(ledger.recent(5)) == []
    assert list(ledger.bundles(rows.job())) == []


def test_recent_jobs_come_newest_first(ledger: Ledger) -> None:
    """The latest jobs come newest first, over the ends of months, and no more of them than asked for."""
    ages_days = [3, 0, 45, 1, 20]
    for age in ages_days:
        ledger.open(rows.job(f"job-{age:02}", opened_ms=rows.NOW_MS - age * _DAY_MS))
    assert [job.id for job in ledger.recent(10)] == ["job-00", "job-01", "job-03", "job-20", "job-45"]
    assert [job.id for job in ledger.recent(4)] == ["job-00", "job-01", "job-03", "job-20"]


def test_bundles_of_all_shards_are_found(ledger: Ledger) -> None:
    """Every bundle of a job is found once, whichever shard and range it lies in, and none of another job."""
    job = rows.job(shards=7, ranges=3)
    keys = [rows.key(number, range_=range_, shards=7) for range_ in range(3) for number in range(20)]
    for key in keys:
        ledger.claim(rows.ask(key))
    ledger.claim(rows.ask(rows.key(job_="another-abcdefghijkl", shards=7)))
    assert sorted(row.key for row in ledger.bundles(job)) == keys


def test_bundles_are_shown_as_they_stand(ledger: Ledger) -> None:
    """A row tells the bundle's state, owners, stamps and results so far."""
    results = [rows.succeeded(), rows.failed(), None]
    lease = rows.claimed(ledger, rows.ask(owner="a"))
    ledger.release(lease, results)
    rows.claimed(ledger, rows.ask(owner="b", now_ms=rows.NOW_MS + 5_000))
    (row,) = ledger.bundles(rows.job())
    assert (row.state, row.owners, row.token) == (BundleState.LEASED, ("a", "b"), f"b@{rows.NOW_MS + 5_000}")
    assert list(row.results) == results
    assert list(row.lines) == [7, 8, 9]
    assert (row.event_ms, row.sent_ms, row.received_ms) == (
        rows.NOW_MS - 900,
        rows.NOW_MS + 4_700,
        rows.NOW_MS + 4_980,
    )
    assert (row.claimed_ms, row.lease_until_ms) == (rows.NOW_MS + 5_000, rows.NOW_MS + 5_000 + rows.LEASE_MS)
    assert row.completed_ms is None


def test_more_bundles_than_a_page_are_all_found(ledger: Ledger) -> None:
    """A job is told whole though its rows are larger than a page of DynamoDB, 1 MiB."""
    results = [rows.failed("x" * 2_000)] * 64
    for number in range(12):
        lease = rows.claimed(ledger, rows.ask(rows.key(number), tasks=64))
        ledger.checkpoint(lease, results, lease.until_ms)
    found = {row.key.number: list(row.results) for row in ledger.bundles(rows.job())}
    assert found == dict.fromkeys(range(12), results)
