"""The sums over the rows of a job's bundles."""

from cloudkon.ledger.lease import BundleState
from cloudkon.ledger.results import TaskState
from cloudkon.reports.totals import JobTotals
from tests.support.data.recorded import result, row


def test_runs_of_tasks_that_wait_for_a_retry_are_counted() -> None:
    """A task that failed twice and waits has run twice, though it has no final result yet."""
    totals = JobTotals()
    totals.add(row([result(), result(TaskState.RETRYING, runs=2), None], state=BundleState.RELEASED))
    assert (totals.runs, totals.results) == (3, 1)
