"""Which jobs repeat tasks of another one: `retry` names the first job in the place of the new workload."""

import re

from cli.jobs.ledgers import FoundJob
from cloudkon.ledger.job import Job

_PLACE = re.compile(r"(?:^|/)(?:retry|retries)/([^/]+)/[^/]+$")
_RECENT_JOBS = 200
"""How many of the latest jobs are looked at for repeats of one."""


def repeated_job(job: Job) -> str | None:
    """The id of the job whose tasks this one repeats; None for any other job."""
    found = _PLACE.search(job.source.key)
    return found[1] if found else None


def repeats(found: FoundJob) -> list[FoundJob]:
    """The jobs that repeat tasks of this one, the latest first."""
    records = found.records
    return [
        FoundJob(job, records)
        for job in records.ledger.recent(_RECENT_JOBS)
        if repeated_job(job) == found.job.id and job.id != found.job.id
    ]
