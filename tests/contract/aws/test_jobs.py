"""How jobs, ranges and workers lie in the table: the index by month, repairs, and reading past a page."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.ledger.rows import index_key, job_pk
from cloudkon.aws.ledger.rows import key as row_key
from cloudkon.aws.ledger.table import Refused
from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.fleet import MEMORY_S
from cloudkon.ledger.job import Job, RangeReport, Source, WorkerReport
from cloudkon.ledger.lease import Claim, Claimed, Kept
from cloudkon.ledger.results import TaskResult, TaskState
from tests.support.data.rows import worker_status
from tests.support.emulators.moto_aws import RETENTION_S, AwsLab
from tests.support.still_clock import StillClock


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = at("2026-03-31T23:59:59.500")


@pytest.fixture(scope="module", params=["aws", "dynalite"])
def lab(request: pytest.FixtureRequest) -> AwsLab:
    """As moto has it, and as strangers have it."""
    made: AwsLab = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def ledger(lab: AwsLab) -> DynamoLedger:
    return lab.ledger(StillClock(NOW))


def job(name: str, opened_ms: int = NOW, shards: int = 1) -> Job:
    source = Source("bucket", f"{name}.txt", "v1", opened_ms - 1_000)
    return Job(f"{name}-aaaaaaaaaaaa", source, 1_234, 1, shards, 64, 100, opened_ms)


def test_a_lost_place_in_the_index_is_repaired(lab: AwsLab, ledger: DynamoLedger) -> None:
    """A dispatcher died between the job's row and the index; the next one, whatever its clock, repairs it."""
    first = ledger.open(job("one"))
    lab.dynamodb.delete_item(TableName=ledger._table.name, Key=index_key(first))
    assert ledger.recent(9) == []
    assert ledger.open(replace(first, opened_ms=NOW + 99_000, ranges=7)) == first
    assert ledger.recent(9) == [first]
    ledger.open(replace(first, opened_ms=NOW - 99_000))
    assert ledger.recent(9) == [first], "its place is that of the row that stands"


def test_recent_jobs_come_newest_first_over_the_months(ledger: DynamoLedger) -> None:
    """The index is walked back by months, from the next one (clocks differ) to a year ago, up to the limit."""
    times = ["2025-04-01T00:00", "2025-12-31T23:59:59.999", "2026-01-01T00:00", "2026-03-31T12:00", "2026-04-01T00:00"]
    jobs = [ledger.open(job(f"j{number}", at(time))) for number, time in enumerate(times)]
    ledger.open(job("too-old", at("2025-02-28T00:00")))
    assert ledger.recent(99) == jobs[::-1]
    assert ledger.recent(2) == [jobs[4], jobs[3]]


def test_a_row_of_a_job_expires(lab: AwsLab, ledger: DynamoLedger) -> None:
    """The table may forget each of them once the retention is over."""
    opened = ledger.open(job("one"))
    report = RangeReport(opened.id, 0, 5, 1, 0, 5, NOW, NOW + 1, {"sqs.SendMessageBatch": 1})
    worker = WorkerReport(opened.id, "w1", 4, NOW, NOW + 1)
    ledger.record_range(report)
    ledger.report_worker(worker)
    keys = [row_key(job_pk(opened.id), sk) for sk in ("meta", "range#00000", "worker#w1")] + [index_key(opened)]
    for key in keys:
        item = lab.dynamodb.get_item(TableName=ledger._table.name, Key=key)["Item"]
        assert int(item["expires_at"]["N"]) == NOW // 1000 + RETENTION_S
    assert (ledger.dispatched(opened.id), ledger.workers(opened.id)) == ([report], [worker])


def test_a_late_report_does_not_replace_a_later_one(ledger: DynamoLedger) -> None:
    """Reports may overtake each other; the worker's last word stands, and so does a range's first."""
    for seen_ms in (NOW, NOW + 2, NOW + 1):
        ledger.report_worker(WorkerReport("j", "w1", 4, NOW, seen_ms, duplicates_dropped=seen_ms - NOW))
        ledger.record_range(RangeReport("j", 0, 1, 1, 0, 1, NOW, seen_ms))
    assert [report.duplicates_dropped for report in ledger.workers("j")] == [2]
    assert [report.ended_ms for report in ledger.dispatched("j")] == [NOW]


def test_ranges_come_in_order_without_the_other_rows(ledger: DynamoLedger) -> None:
    """Range 10 follows range 9, and neither the job's row nor the workers' are among them."""
    opened = ledger.open(job("one"))
    ledger.report_worker(WorkerReport(opened.id, "w1", 4, NOW, NOW))
    for number in (10, 2, 9):
        ledger.record_range(RangeReport(opened.id, number, 1, 1, 0, 1, NOW, NOW))
    assert [report.range for report in ledger.dispatched(opened.id)] == [2, 9, 10]


def test_bundles_are_read_past_a_page_and_over_the_shards(lab: AwsLab, ledger: DynamoLedger) -> None:
    """A query answers with at most 1 MB; every bundle of every shard is there all the same, once."""
    opened = ledger.open(job("one", shards=2))
    big = TaskResult(TaskState.FAILED, NOW, 1, 1, recorded_ms=NOW, error="e" * 300_000)
    for number in range(9):
        ask = Claim(
            BundleKey(opened.id, 0, number, 2), LineNumbers(((1, 1),)), NOW, NOW, NOW, "a", f"t{number}", NOW, NOW + 9
        )
        answer = ledger.claim(ask)
        assert isinstance(answer, Claimed)
        assert isinstance(ledger.complete(answer.lease, [big], NOW), Kept)
    before = lab.session.meter.totals()["dynamodb.Query"]
    rows = list(ledger.bundles(opened))
    assert sorted(row.key.number for row in rows) == list(range(9))
    assert all(row.results == (big,) and row.key.shards == 2 for row in rows)
    assert lab.session.meter.totals()["dynamodb.Query"] - before > 2


def test_the_index_keeps_the_later_change(ledger: DynamoLedger) -> None:
    """Of two changes that reach the index in the wrong order, the later stands."""
    opened = ledger.open(job("one"))
    put = ledger._table.put
    held: list[tuple[Any, ...]] = []
    ledger._table.put = lambda *put_: held.append(put_) or Refused(None)  # type: ignore[method-assign, func-returns-value]
    ledger.pause(opened.id, "lunch", NOW)
    ledger._table.put = put  # type: ignore[method-assign]
    resumed = ledger.resume(opened.id, NOW + 5)
    put(*held[0])
    assert ledger.recent(9) == [resumed]


def test_a_lost_change_of_the_index_is_repaired(lab: AwsLab, ledger: DynamoLedger) -> None:
    """Who died between the job's row and the index leaves the repair to whoever asks for the same again."""
    opened = ledger.open(job("one"))
    ledger.cancel(opened.id, NOW)
    lab.dynamodb.delete_item(TableName=ledger._table.name, Key=index_key(opened))
    cancelled = ledger.cancel(opened.id, NOW + 5)
    assert ledger.recent(9) == [cancelled]


def test_a_workers_own_row_expires_within_minutes(lab: AwsLab, ledger: DynamoLedger) -> None:
    """The table may forget a worker minutes after it was last seen."""
    ledger.announce(worker_status("w1", seen_ms=NOW))
    item = lab.dynamodb.get_item(TableName=ledger._table.name, Key=row_key("workers", "w1"))["Item"]
    assert int(item["expires_at"]["N"]) == NOW // 1000 + MEMORY_S
