"""How a workload is cut, as a job that nobody has opened yet; no I/O."""

from cloudkon.ledger.job import Job, Source, job_id
from cloudkon.workload.planning import (
    DEFAULT_SLOTS,
    DEFAULT_WORKER_SLOTS,
    TRAVELLING,
    BundleBounds,
    bundle_size,
    ranges_of,
    shards_of,
)
from dispatcher.ranges import Look


def planned_job(
    source: Source,
    size_bytes: int,
    look: Look,
    *,
    prefix: str = "",
    slots: int = DEFAULT_SLOTS,
    worker_slots: int = DEFAULT_WORKER_SLOTS,
    bounds: BundleBounds = TRAVELLING,
    learnt_ms: float | None = None,
) -> Job:
    """The job of a workload that begins so, as all slots together and each worker's would share it.

    Learnt_ms is the mean time of its tasks in earlier jobs, where that is known.
    """
    seen = look.sample
    tasks = seen.tasks_of(look.plain_bytes)
    size = bundle_size(seen, look.plain_bytes, slots, worker_slots, bounds, learnt_ms)
    return Job(
        id=job_id(source.bucket, source.key, source.version, prefix=prefix),
        source=source,
        size_bytes=size_bytes,
        ranges=ranges_of(size_bytes, gzipped=look.is_one_piece),
        shards=shards_of(tasks, size),
        bundle_size=size,
        tasks_estimate=tasks,
        opened_ms=0,
        gzipped=look.gzipped,
        retries=seen.options.retries,
        timeout_s=seen.options.timeout_s,
        max_fails=seen.options.max_fails,
        task_slots=seen.options.task_slots if seen.options.task_slots > 1 else None,
        keep_logs=seen.options.keep_logs,
        form=None if look.form is None else look.form.as_text(),
    )
