"""What happened when, from the rows of a job."""

from dataclasses import replace

from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import TaskState
from cloudkon.reports.activity.activity import MOST_SPANS, MOST_WORKERS, OTHER_WORKERS, Activity
from cloudkon.reports.activity.stragglers import MOST_STRAGGLERS, TaskPlace
from tests.support.data.recorded import EVENT_MS, job, result, row


def activity_of(*rows: BundleRow) -> Activity:
    activity = Activity(job())
    for each in rows:
        activity.add(each)
    return activity


def plain(each: BundleRow) -> BundleRow:
    """The same row, with its results as columns."""
    return replace(each, results=ResultColumns.of(each.results))


def test_columns_and_single_results_come_to_the_same() -> None:
    """A bundle of plain results is counted by its columns as it is counted task by task."""
    rows = [
        row([result(start=at * 30 + n, ms=20 + n, recorded=900 + at) for n in range(40)], number=at, first_line=40 * at)
        for at in range(9)
    ]
    one_by_one, by_columns = activity_of(*rows), activity_of(*map(plain, rows))
    assert by_columns.running.values() == one_by_one.running.values()
    assert by_columns.recorded.values() == one_by_one.recorded.values()
    assert by_columns.by_worker["w1"].values() == one_by_one.by_worker["w1"].values()
    assert by_columns.stragglers.longest_first() == one_by_one.stragglers.longest_first()
    assert by_columns.spans == one_by_one.spans


def test_failures_retries_and_takeovers_are_marked_in_their_time() -> None:
    """A failed task, one that needed another try, and a bundle that changed hands each leave a mark."""
    failed = result(TaskState.FAILED, recorded=700, error="no")
    again = result(runs=2, recorded=800, attempt=2)
    handed_over = row([result(attempt=2)], owners=("w1", "w2"), stamps=(0, 0, 350), number=1, first_line=3)
    activity = activity_of(row([failed, again], owners=("w1", "w3")), handed_over)
    assert sum(activity.failed.values()) == 1
    assert sum(activity.retried.values()) == 1
    assert sum(activity.taken_over.values()) == 1
    [takeover] = activity.takeovers
    assert (takeover.at_ms, takeover.worker, takeover.before) == (EVENT_MS + 350, "w2", "w1")


def test_a_task_that_waits_for_its_next_try_is_no_result() -> None:
    """It ran, so it is in the load, but nothing was recorded of it for good."""
    activity = activity_of(row([result(TaskState.RETRYING, error="no"), None]))
    assert sum(activity.running.values()) > 0
    assert sum(activity.recorded.values()) == 0


def test_rejected_tasks_did_not_run() -> None:
    """A task without a handler took no slot."""
    activity = activity_of(row([result(TaskState.REJECTED, error="no handler")]))
    assert sum(activity.running.values()) == 0
    assert activity.spans == []
    assert not activity.by_worker


def test_few_tasks_are_kept_one_by_one_and_many_are_not() -> None:
    """Up to a bound each task is kept; one more, and memory no longer grows with them."""
    full = [row([result()] * 60, number=at) for at in range(MOST_SPANS // 60)]
    assert len(activity_of(*full).spans or []) == MOST_SPANS
    assert activity_of(*full, row([result()], number=999)).spans is None


def test_the_longest_runs_are_kept_in_their_order() -> None:
    """Of many runs, the longest stay, the longest first, each with the line that it stands in."""
    rows = [row([result(ms=n * 7 % 1_000)], number=n, first_line=n + 1) for n in range(300)]
    longest = activity_of(*map(plain, rows)).stragglers.longest_first()
    times = sorted((n * 7 % 1_000 for n in range(300)), reverse=True)[:MOST_STRAGGLERS]
    assert [span.duration_ms for span in longest] == times
    assert all(span.duration_ms == (span.place.line - 1) * 7 % 1_000 for span in longest)
    assert longest[0].place == TaskPlace(0, 286)


def test_many_workers_share_a_row() -> None:
    """Beyond a bound, workers are summed up in one row: a fleet of thousands takes no more memory."""
    rows = [row([result()], number=n, owners=(f"w{n}",), first_line=n) for n in range(MOST_WORKERS + 30)]
    activity = activity_of(*rows)
    assert len(activity.by_worker) == MOST_WORKERS + 1
    assert max(activity.by_worker[OTHER_WORKERS].values()) == 30
