"""What every ledger answers about the rows around the bundles, and about the times of tasks."""

import pytest

from cloudkon.ledger.fleet import Instance
from cloudkon.ledger.job import RangeKey, Source
from cloudkon.ledger.task_times import RENEW_MS, TaskTime
from cloudkon.ports import Ledger
from tests.support.data import rows

_JOB = "sleeps-abcdefghijkl"


def test_an_opened_job_is_found_as_it_was_written(ledger: Ledger) -> None:
    """Every field of a job is kept."""
    source = rows.job().source
    job = rows.job(gzipped=True, cancelled_ms=rows.NOW_MS + 9, shards=12, ranges=3, source=source, trace="1-0-0")
    assert ledger.open(job) == job
    assert ledger.job(job.id) == job


def test_a_source_that_is_not_pinned_stays_so(ledger: Ledger) -> None:
    """A source of any name keeps its fields, and whether reads can name its version."""
    source = Source("größe", "in put/+ & %20.txt", "", rows.NOW_MS, pinned=False)
    ledger.open(rows.job(source=source))
    found = ledger.job(_JOB)
    assert found is not None
    assert found.source == source


def test_a_job_opened_twice_is_the_first(ledger: Ledger) -> None:
    """A second open changes nothing and returns the row that stands."""
    first = ledger.open(rows.job(shards=2, opened_ms=rows.NOW_MS))
    assert ledger.open(rows.job(shards=9, opened_ms=rows.NOW_MS + 60_000)) == first
    assert ledger.job(_JOB) == first
    assert list(ledger.recent(10)) == [first]


def test_ranges_are_dispatched_in_order(ledger: Ledger) -> None:
    """The reports of a job's ranges come in the order of the workload, each as it was written."""
    reports = [rows.range_report(number, tasks=number * 10) for number in range(12)]
    for report in reversed(reports):
        ledger.record_range(report)
    ledger.record_range(rows.range_report(0, job="another-abcdefghijkl"))
    assert list(ledger.dispatched(_JOB)) == reports


def test_a_range_is_recorded_once(ledger: Ledger) -> None:
    """The first report of a range stands: a second dispatch of it counts nothing twice."""
    first = rows.range_report(0, started_ms=rows.NOW_MS)
    ledger.record_range(first)
    ledger.record_range(rows.range_report(0, started_ms=rows.NOW_MS + 500, api_calls={}))
    assert list(ledger.dispatched(_JOB)) == [first]


def test_one_range_is_asked_for(ledger: Ledger) -> None:
    """A range is dispatched as soon as it is recorded, whatever ranges of its number other jobs have."""
    ledger.record_range(rows.range_report(1))
    ledger.record_range(rows.range_report(2, job="another-abcdefghijkl"))
    assert [ledger.is_dispatched(RangeKey(_JOB, number)) for number in range(3)] == [False, True, False]


def test_nothing_is_dispatched_of_an_unknown_job(ledger: Ledger) -> None:
    """A job that nobody knows has no ranges and no workers."""
    assert list(ledger.dispatched("nobody-knows")) == []
    assert list(ledger.workers("nobody-knows")) == []


def test_the_latest_report_of_a_worker_stands(ledger: Ledger) -> None:
    """A later report replaces an earlier one, and one that was overtaken on its way changes nothing."""
    early, late = rows.worker_report(seen_ms=rows.NOW_MS), rows.worker_report(seen_ms=rows.NOW_MS + 1, slots=9)
    ledger.report_worker(early)
    ledger.report_worker(late)
    assert list(ledger.workers(_JOB)) == [late]
    ledger.report_worker(early)
    assert list(ledger.workers(_JOB)) == [late]


def test_a_report_of_the_same_moment_replaces_the_one_before(ledger: Ledger) -> None:
    """Of two reports of one millisecond, the second stands."""
    ledger.report_worker(rows.worker_report(duplicates_dropped=1))
    ledger.report_worker(rows.worker_report(duplicates_dropped=2))
    assert [report.duplicates_dropped for report in ledger.workers(_JOB)] == [2]


def test_a_worker_s_report_says_where_it_ran(ledger: Ledger) -> None:
    """The instance of a report, with its type and market, is kept: what it costs follows from it."""
    on_ec2 = rows.worker_report("host-0", instance=Instance("i-0abc", "c7g.large", "eu-central-1a", "spot"))
    elsewhere = rows.worker_report("host-1")
    for report in (on_ec2, elsewhere):
        ledger.report_worker(report)
    assert sorted(ledger.workers(_JOB), key=lambda report: report.worker) == [on_ec2, elsewhere]


def test_workers_report_for_each_job_on_their_own(ledger: Ledger) -> None:
    """A job's workers are those who reported for it."""
    mine = [rows.worker_report(f"host-{number}") for number in range(3)]
    for report in [*mine, rows.worker_report("host-0", job="another-abcdefghijkl", slots=1)]:
        ledger.report_worker(report)
    assert sorted(ledger.workers(_JOB), key=lambda report: report.worker) == mine


@pytest.mark.parametrize("name", ["sleep", "größe", "a#b", "x" * 200])
def test_a_time_is_read_as_it_was_learnt(ledger: Ledger, name: str) -> None:
    """By the name of its tasks, and by no other; before, nothing is known."""
    assert ledger.task_time(name) is None
    ledger.learn_task_time(TaskTime(name, 12.3456, rows.NOW_MS))
    assert ledger.task_time(name) == TaskTime(name, 12.3456, rows.NOW_MS)
    assert ledger.task_time(f"{name}x") is None


def test_a_row_that_is_young_is_left_alone(ledger: Ledger) -> None:
    """Many workers learn the same: within a minute the first stands, then the next, and none that comes late."""
    first, soon = TaskTime("sleep", 1.0, rows.NOW_MS), TaskTime("sleep", 2.0, rows.NOW_MS + RENEW_MS - 1)
    later, late = TaskTime("sleep", 3.0, rows.NOW_MS + RENEW_MS), TaskTime("sleep", 4.0, rows.NOW_MS - RENEW_MS)
    standing = []
    for time in (first, soon, later, late):
        ledger.learn_task_time(time)
        standing.append(ledger.task_time("sleep"))
    assert standing == [first, first, later, later]
