"""Finds the run that --resume goes on with."""

from collections.abc import Iterable

from cloudkon.errors import InputError
from cloudkon.ledger.job import LOCAL_BUCKET, Job, Source
from cloudkon.workload.templates.form import Form

RECENT_JOBS = 1_000
"""How far back a run to resume is looked for."""


def earlier_run(recent: Iterable[Job], source: Source, form: Form | None) -> Job | None:
    """The latest job of the same file whose tasks were made in the same way; any way will do where none is asked for.

    Raises InputError if the file has changed since.
    """
    content = source.version.partition("-")[0]
    for job in recent:
        if (job.source.bucket, job.source.key) != (LOCAL_BUCKET, source.key) or not _is_of(job, form):
            continue
        if job.source.version.partition("-")[0] == content:
            return job
        raise InputError(
            f"{source.key} has changed since {job.id} began: its lines are not those of that run. "
            "Run it anew, without --resume."
        )
    return None


def _is_of(job: Job, form: Form | None) -> bool:
    return form is None or (job.form is not None and Form.parse(job.form).asked() == form)
