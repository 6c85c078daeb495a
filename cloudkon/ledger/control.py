r"""What may be done to a job from outside: cancel it for good, pause it, let it go on. Decided purely.

    open --pause--> paused --resume--> open (and no breaker pauses it again)
      \                \
       \--cancel--------\--cancel--> cancelled (final)

A verb that changes nothing is answered with the job as it stands: who asked looks whether that is what was wanted.
"""

from dataclasses import replace

from cloudkon.ledger.job import Job


def cancel(job: Job, now_ms: int) -> Job:
    """Nothing more of it is begun; the first time stands."""
    if job.cancelled_ms is not None:
        return job
    return replace(job, cancelled_ms=now_ms, paused_ms=None, pause_reason=None)


def pause(job: Job, reason: str, now_ms: int) -> Job:
    """Nothing more of it is begun until it is resumed; the first reason stands."""
    if job.cancelled_ms is not None or job.paused_ms is not None:
        return job
    return replace(job, paused_ms=now_ms, pause_reason=reason)


def resume(job: Job, now_ms: int) -> Job:
    """Let a paused job go on."""
    if job.paused_ms is None:
        return job
    return replace(job, paused_ms=None, pause_reason=None, resumed_ms=now_ms)
