"""Whether a stage may go: nothing that somebody may still want is deleted unasked."""

from cloudkon.aws.machines.scaling import Machines
from cloudkon.aws.session import Session
from cloudkon.aws.stack.emptying import holds_objects
from cloudkon.aws.stack.functions import function_exists
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.reports.stats import job_stats
from cloudkon.settings import Settings
from cloudkon.stage.names import Names
from cloudkon.wiring import cloud

_JOBS = 50
"""How many of the latest jobs are asked whether they have ended."""


def check_deletable(session: Session, names: Names, clock: Clock, *, force: bool, delete_data: bool) -> None:
    """Raises CloudKonError with the first thing that stands in the way; nothing has been deleted then."""
    for function in names.functions:
        if function_exists(session.functions(), function):
            raise CloudKonError(
                f"The Lambda {function} stands, and would fail without the stack; nothing was deleted. "
                f"Delete both: cloudkon-cli undeploy --stage {names.stage}"
            )
    check_nothing_is_lost(session, names, clock, force=force, delete_data=delete_data)


def check_nothing_is_lost(session: Session, names: Names, clock: Clock, *, force: bool, delete_data: bool) -> None:
    """The same of what somebody may still want: jobs, machines and objects."""
    if not force:
        _check_nobody_works(session, names, clock)
    if not delete_data:
        for bucket in (names.workloads_bucket, names.results_bucket):
            if holds_objects(session.s3(), bucket):
                raise CloudKonError(
                    f"The bucket {bucket} holds objects; nothing was deleted. Save what you need, then repeat with "
                    "--delete-data to delete them, every version of them, for good."
                )


def _check_nobody_works(session: Session, names: Names, clock: Clock) -> None:
    if job := _running(names, clock):
        raise CloudKonError(
            f"The job {job} has not ended; nothing was deleted. Wait for it, or cancel it: cloudkon-cli cancel {job}. "
            "With --force it is lost."
        )
    if count := Machines(session.autoscaling(), session.ec2(), names, clock).count():
        raise CloudKonError(
            f"The group {names.worker_group} has {count} machines; nothing was deleted. Stop them first, or repeat "
            "with --force to terminate them."
        )


def _running(names: Names, clock: Clock) -> str | None:
    """A job that has not ended, of the latest ones."""
    ledger = cloud(names.stage, Settings()).ledger
    now_ms = clock.now_ms()
    try:
        return next((job.id for job in ledger.recent(_JOBS) if not job_stats(ledger, job, now_ms).ended), None)
    except NotFoundError:  # a stack that was never whole
        return None
