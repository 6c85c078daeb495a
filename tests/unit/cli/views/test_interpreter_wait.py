"""A person is told that slots wait for the interpreter where another command would help."""

from dataclasses import replace

import pytest

from cli.views.stats_view import interpreter_wait_text
from cloudkon.reports.stats import job_stats
from tests.support.data.recorded import EVENT_MS, Recorded, job, report, result, row, worker


@pytest.mark.parametrize(
    ("task_ms", "waited_ms", "told"),
    [(900, 900, True), (900, 200, False), (900, 0, False), (0.1, 0.2, False), (300, 300, False)],
    ids=["half of the time", "a little of it", "none of it", "tasks of no length", "a moment in all"],
)
def test_much_waiting_by_tasks_that_are_worth_a_process_is_told(task_ms: float, waited_ms: int, *, told: bool) -> None:
    """What is short would only be slower in other processes."""
    rows = [row([result(ms=task_ms), result(ms=task_ms, recorded=1_000)])]
    recorded = Recorded(job(), rows, [report(2)], [replace(worker(slots=2), waited_ms=waited_ms)])
    assert (interpreter_wait_text(job_stats(recorded, job(), EVENT_MS + 10_000)) is not None) is told
