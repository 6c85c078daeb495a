"""At how many failures a job is paused."""

import pytest

from cloudkon.ledger.failure_limit import is_failure_limit, most_failures
from tests.support.data.rows import job


@pytest.mark.parametrize("text", ["1", "20", "999999999", "5%", "0.5%", "100%"])
def test_a_number_or_a_share_is_a_limit(text: str) -> None:
    """A limit is a number from one, or a share above nothing and up to all."""
    assert is_failure_limit(text)


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "-1", "5 %", "%", "1e3", "5.%", "٣", "1" * 10])
def test_anything_else_is_no_limit(text: str) -> None:
    """Nothing is guessed from what is neither."""
    assert not is_failure_limit(text)


@pytest.mark.parametrize(
    ("limit", "tasks", "most"),
    [("20", 10, 20), ("5%", 1000, 50), ("5%", 10, 1), ("5%", 0, 1), ("100%", 7, 7), ("2.5%", 100, 3), (None, 9, None)],
)
def test_a_share_is_one_of_all_tasks(limit: str | None, tasks: int, most: int | None) -> None:
    """A share is rounded up, so that a job of few tasks may still have one failure counted."""
    assert most_failures(job(max_fails=limit, tasks_estimate=tasks)) == most


def test_whoever_resumed_the_job_has_decided() -> None:
    """A job that was resumed has no limit any more."""
    assert most_failures(job(max_fails="1", resumed_ms=5)) is None
