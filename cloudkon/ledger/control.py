r"""The rules for pausing, resuming and cancelling a job; without any I/O.

    open --pause--> paused --resume--> open (and no breaker pauses it again)
      \                \
       \--cancel--------\--cancel--> cancelled (final)

A verb that changes nothing returns the job as it is: the caller compares it with what was wanted.
"""

from dataclasses import replace

from cloudkon.ledger.job import Job


def cancel(job: Job, now_ms: int) -> Job:
    """Cancel the job for good: none of its bundles is claimed any more. The time of the first cancel stands."""
    if job.cancelled_ms is not None:
        return job
    return replace(job, cancelled_ms=now_ms, paused_ms=None, pause_reason=None)


def pause(job: Job, reason: str, now_ms: int) -> Job:
    """Pause the job: none of its bundles is claimed until it is resumed. The first reason stands."""
    if job.cancelled_ms is not None or job.paused_ms is not None:
        return job
    return replace(job, paused_ms=now_ms, pause_reason=reason)


def resume(job: Job, now_ms: int) -> Job:
    """Let a paused job go on."""
    if job.paused_ms is None:
        return job
    return replace(job, paused_ms=None, pause_reason=None, resumed_ms=now_ms)


def why_halted(job: Job) -> str | None:
    """Why somebody has let the job begin nothing more; None if nobody has."""
    if job.cancelled_ms is not None:
        return f"{job.id} was cancelled."
    if job.paused_ms is not None:
        return f"{job.id} is paused: {job.pause_reason}. Let it go on by its client: job({job.id!r}).resume()"
    return None
