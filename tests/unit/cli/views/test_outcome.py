"""What a person reads when a job has ended."""

from collections.abc import Sequence
from dataclasses import replace

import click
import pytest

from cli.views.outcome import outcome_lines
from cloudkon.ledger.job import Job, JobState
from cloudkon.reports.error_groups import group_errors
from cloudkon.reports.stats import BundleCounts, JobStats, TaskCounts
from cloudkon.reports.task_results import ResultJson
from tests.support.data.rows import job

NO_HANDLER = "no handler is named 'greet' (this worker knows sleep); start the worker with --tasks MODULE"
REFUSED = "'shell' is refused: it runs whatever a workload says; a worker started with --allow shell takes it"


def stats(
    succeeded: int, failed: int = 0, rejected: int = 0, pending: int = 0, state: JobState = JobState.COMPLETE
) -> JobStats:
    tasks = TaskCounts(succeeded + failed + rejected + pending, succeeded, failed, rejected, 0, pending)
    ended: Job = replace(job(), id="tasks-abc")
    return JobStats(ended, state, tasks, BundleCounts(1, 1, 0, 0), 0, 0, 0, 4.5, 0.0, None, {}, {}, [], {})


def outcome(ended: JobStats, errors: Sequence[tuple[str, str]] = (), options: str = "") -> list[str]:
    results: list[ResultJson] = [
        {"task": line, "state": state, "error": error} for line, (state, error) in enumerate(errors, 1)
    ]
    return [click.unstyle(line) for line in outcome_lines(ended, group_errors(results), options)]


def test_a_job_that_went_well_is_a_line_and_the_next_command() -> None:
    """Who has succeeded reads how many tasks there were, how long it took, and where the results are."""
    assert outcome(stats(200)) == ["✓ 200 tasks in 4.50 s", "See the results: cloudkon-cli results tasks-abc"]
    assert outcome(stats(1))[0] == "✓ 1 task in 4.50 s"


def test_failures_are_told_with_their_reasons_and_what_to_type() -> None:
    """Part of the tasks failed: the count, the reasons as `failed` groups them, then one to look at, and the retry."""
    errors = [("failed", "HTTP Error 503: Service Unavailable")] * 3 + [("failed", "ValueError: 7")]
    assert outcome(stats(196, 4), errors, " --ledger night.sqlite3") == [
        "✓ 196 of 200 tasks in 4.50 s: 196 succeeded, 4 failed",
        "  tasks  state   reason                               lines",
        "      3  failed  HTTP Error 503: Service Unavailable  1, 2, 3",
        "      1  failed  ValueError: 7                        4",
        "Look at one: cloudkon-cli explain tasks-abc 1 --ledger night.sqlite3",
        "Run them again: cloudkon-cli retry tasks-abc --ledger night.sqlite3",
    ]


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (NO_HANDLER, "Load the Python module that has the handler: add --tasks MODULE"),
        (REFUSED, "Allow commands, if you trust this workload: add --allow shell"),
        ("no closing quotation", "Print their lines: cloudkon-cli export-failed tasks-abc --rejected"),
        (
            NO_HANDLER.replace("'greet'", "'Sleep'. Did you mean 'sleep'?"),
            "Print their lines: cloudkon-cli export-failed tasks-abc --rejected",
        ),
    ],
)
def test_the_commonest_mistakes_end_with_their_cure(error: str, cure: str) -> None:
    """A forgotten option is named; a line that is wrong is printed for its author."""
    lines = outcome(stats(0, rejected=1), [("rejected", error)])
    assert lines[0] == "✗ 0 of 1 task in 4.50 s: 0 succeeded, 1 rejected"
    assert lines[-1] == cure


VALUES = "If the lines are values, such as file names, say what to run for each: add -- COMMAND {}"


@pytest.mark.parametrize(
    ("name", "succeeded", "hints"),
    [("a.jpg", 0, 1), ("https://example.org/1", 0, 1), ("17", 0, 1), ("greet", 0, 0), ("a.jpg", 1, 0)],
)
def test_a_list_of_values_leads_to_what_takes_values(name: str, succeeded: int, hints: int) -> None:
    """Whose every line begins with a path, a URL or a number has probably forgotten what to run for each."""
    error = NO_HANDLER.replace("greet", name)
    assert outcome(stats(succeeded, rejected=1), [("rejected", error)]).count(VALUES) == hints


def test_only_the_first_reasons_are_shown() -> None:
    """Of many reasons the most frequent are shown, and the command that shows all."""
    errors = [("failed", f"error {letter}") for letter in "abcdefgh"]
    assert "  and 3 more reasons: cloudkon-cli failed tasks-abc" in outcome(stats(0, 8), errors)


@pytest.mark.parametrize(
    ("ended", "line"),
    [
        (
            stats(120, pending=280, state=JobState.CANCELLED),
            "✓ 120 of 400 tasks in 4.50 s: 120 succeeded, 280 did not run, cancelled",
        ),
        (stats(0, pending=400, state=JobState.RUNNING), "✗ 0 of 400 tasks in 4.50 s: 0 succeeded, 400 did not run"),
        (stats(0), "✓ 0 tasks in 4.50 s"),
    ],
)
def test_a_job_that_ended_early_says_what_did_not_run(ended: JobStats, line: str) -> None:
    """A cancelled or interrupted job is not taken for one that is through."""
    assert outcome(ended)[0] == line
