"""When a worker is sick, and when it is well again, without threads and without time."""

from collections.abc import Mapping

import pytest

from cloudkon.backoff import Backoff
from cloudkon.settings import Settings
from ec2_worker.health.health import Health, Signs, Streaks
from tests.support.data.rows import worker_status

PLENTY = 10_000_000_000
OWN = Settings(free_disk_mb=100, ledger_patience_s=30, failing_bundles=3, sick_exit_s=600)
WELL = Signs(PLENTY)


@pytest.fixture
def health() -> Health:
    """Its backoff is its bound: 10 s, 20 s, 40 s and so on."""
    return Health(OWN, Backoff(10.0, 120.0, uniform=lambda _, bound: bound))


def sick(health: Health) -> bool:
    return bool(health.reason)


def failing(streak: int, *others: int, job: str = "job") -> Signs:
    """Signs of a streak of bare bundles here, and of other workers' streaks in "job"."""
    return Signs(PLENTY, failing={job: streak}, others=[worker_status(failing={"job": n}) for n in others])


def test_a_well_worker_has_no_reason(health: Health) -> None:
    """Nothing is wrong at the thresholds themselves."""
    health.look(Signs(100_000_000, ledger_silent_s=30.0), 0.0)
    assert not sick(health)


@pytest.mark.parametrize(
    ("signs", "reason"),
    [
        (
            Signs(99_000_000),
            "99 MB are free on the disk of the temporary files, and 100 MB are the least",
        ),
        (Signs(PLENTY, ledger_silent_s=31.0), "the ledger has not answered for 31 s"),
        (
            failing(3, 0, 0, 1),
            "3 bundles of job in a row had no task that succeeded here, while 2 of the 3 other workers on it succeed",
        ),
    ],
)
def test_a_sick_worker_says_why(health: Health, signs: Signs, reason: str) -> None:
    """A full disk, a silent ledger, and tasks that fail only here are reasons to receive nothing."""
    health.look(signs, 0.0)
    assert health.reason == reason


@pytest.mark.parametrize(
    ("streak", "others"),
    [(2, (0, 0)), (3, ()), (3, (1, 2)), (3, (0, 1)), (99, (5, 5, 0))],
    ids=["too few", "alone", "all fail", "as many fail", "most fail"],
)
def test_tasks_that_fail_everywhere_make_nobody_sick(health: Health, streak: int, others: tuple[int, ...]) -> None:
    """A bad workload is no bad machine: most of the others on the job have to succeed."""
    health.look(failing(streak, *others), 0.0)
    assert not sick(health)


def test_only_workers_of_the_same_job_count(health: Health) -> None:
    """Others' success with other jobs says nothing."""
    health.look(failing(9, 0, 0, 0, job="another"), 0.0)
    assert not sick(health)


def test_no_thresholds_no_reasons() -> None:
    """Zero switches the looks at disk and tasks off."""
    health = Health(Settings(free_disk_mb=0, failing_bundles=0))
    health.look(Signs(0, failing={"job": 99}, others=[worker_status(failing={"job": 0})]), 0.0)
    assert not sick(health)
    assert not health.is_suspicious({"job": 99})


def test_the_others_are_asked_only_on_suspicion(health: Health) -> None:
    """A read of all workers' rows is worth it only after a streak, and not while the worker is sick anyway."""
    assert not health.is_suspicious({"job": 2})
    assert health.is_suspicious({"job": 3})
    health.look(Signs(0), 0.0)
    assert not health.is_suspicious({"job": 3})


def test_a_machine_recovers_after_the_backoff(health: Health) -> None:
    """What passes at once does not bring it back at once, and what lasts is looked at less and less often."""
    health.look(Signs(0), 0.0)
    health.look(WELL, 9.9)
    assert sick(health)
    health.look(Signs(0), 10.0)
    health.look(WELL, 29.9)
    assert sick(health)
    health.look(WELL, 30.0)
    assert not sick(health)


def test_after_a_recovery_the_backoff_begins_anew(health: Health) -> None:
    """A second illness is looked at as soon as the first was."""
    for now_s in (0.0, 10.0):
        health.look(Signs(0), now_s)
    health.look(WELL, 30.0)
    health.look(Signs(0), 31.0)
    health.look(WELL, 41.0)
    assert not sick(health)


def test_failing_tasks_are_tried_again(health: Health) -> None:
    """After the backoff one more bundle is tried; without a success in it the worker is sick again, for longer."""
    health.look(failing(3, 0), 0.0)
    health.look(failing(3, 0), 10.0)
    assert not sick(health)
    health.look(failing(3, 0), 11.0)
    assert not sick(health), "the same bundles do not count again"
    health.look(failing(4, 0), 12.0)
    assert sick(health)
    health.look(failing(4, 0), 31.9)
    assert sick(health), "this backoff is twice as long"


def test_a_success_ends_the_trial(health: Health) -> None:
    """From then on it takes a whole streak to be sick, and the backoff begins anew."""
    health.look(failing(3, 0), 0.0)
    health.look(failing(3, 0), 10.0)
    health.look(failing(0, 0), 11.0)
    health.look(failing(2, 0), 12.0)
    assert not sick(health)
    health.look(failing(3, 0), 13.0)
    assert sick(health)
    health.look(failing(3, 0), 23.0)
    assert not sick(health)


def test_a_trial_in_which_nothing_comes_ends(health: Health) -> None:
    """A job that is over can't acquit anyone."""
    health.look(failing(3, 0), 0.0)
    health.look(failing(3, 0), 10.0)
    health.look(failing(3), 310.0)
    health.look(Signs(0), 700.0)
    assert not health.given_up(700.0), "it was well in between"


def test_who_is_sick_for_too_long_gives_up(health: Health) -> None:
    """Not before its time, and not while it is well."""
    assert not health.given_up(9_999.0)
    health.look(Signs(0), 100.0)
    assert not health.given_up(699.9)
    assert health.given_up(700.0)


def test_trials_are_no_recovery(health: Health) -> None:
    """A worker that fails every trial gives up in the end, but not in the midst of a trial."""
    health.look(failing(3, 0), 0.0)
    streak, now_s = 3, 0.0
    while now_s < 600.0:
        now_s += 120.0
        health.look(failing(streak, 0), now_s)
        assert not health.given_up(now_s)
        streak += 1
        health.look(failing(streak, 0), now_s)
    assert health.given_up(now_s)


@pytest.mark.parametrize(
    ("ends", "streaks"),
    [
        ([("a", False), ("b", True), ("a", False)], {"a": 2, "b": 0}),
        ([("a", False), ("a", True)], {"a": 0}),
        ([("a", True), ("a", False)], {"a": 1}),
    ],
)
def test_streaks_are_counted_by_job(ends: list[tuple[str, bool]], streaks: Mapping[str, int]) -> None:
    """A bundle with a success ends its job's streak, and no other's."""
    counted = Streaks()
    for job, succeeded in ends:
        counted.ended(job, succeeded=succeeded)
    assert counted.now() == streaks


def test_only_the_latest_jobs_are_remembered() -> None:
    """A worker's row stays small, however many jobs it has worked for; a job that goes on stays in it."""
    counted = Streaks()
    for number in range(20):
        counted.ended("steady", succeeded=True)
        counted.ended(f"job-{number}", succeeded=True)
    assert len(counted.now()) == 8
    assert list(counted.now())[-2:] == ["steady", "job-19"]
