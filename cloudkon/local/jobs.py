"""The rows around the bundles in SQLite: jobs, their ranges and their workers."""

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

from cloudkon.ledger import control
from cloudkon.ledger.job import Job, RangeKey, RangeReport, Source, WorkerReport
from cloudkon.local.fleet import instance_text, read_instance
from cloudkon.local.schema import LedgerFile

_OPEN = "INSERT OR IGNORE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_JOB = "SELECT * FROM jobs WHERE id = ?"
_RECENT = "SELECT * FROM jobs ORDER BY opened_ms DESC, id DESC LIMIT ?"
_CHANGE = "UPDATE jobs SET cancelled_ms = ?, paused_ms = ?, pause_reason = ?, resumed_ms = ? WHERE id = ?"
_RECORD_RANGE = "INSERT OR IGNORE INTO ranges VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_RANGES = "SELECT * FROM ranges WHERE job = ? ORDER BY range"
_RANGE = "SELECT 1 FROM ranges WHERE job = ? AND range = ?"
_REPORT_WORKER = (
    "INSERT OR REPLACE INTO workers SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 "
    "WHERE NOT EXISTS (SELECT 1 FROM workers WHERE job = ?1 AND worker = ?2 AND seen_ms > ?5)"
)
_WORKERS = "SELECT * FROM workers WHERE job = ? ORDER BY worker"


class SqliteJobs:
    """What is written down around the bundles, and read by those who ask."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file

    def open(self, job: Job) -> Job:
        """Write the job's row unless it exists; return the row that stands."""
        with self._file.writing() as connection:
            connection.execute(_OPEN, _job_record(job))
            return _job(connection.execute(_JOB, (job.id,)).fetchone())

    def cancel(self, job: str, now_ms: int) -> Job | None:
        return self._change(job, lambda standing: control.cancel(standing, now_ms))

    def pause(self, job: str, reason: str, now_ms: int) -> Job | None:
        return self._change(job, lambda standing: control.pause(standing, reason, now_ms))

    def resume(self, job: str, now_ms: int) -> Job | None:
        return self._change(job, lambda standing: control.resume(standing, now_ms))

    def _change(self, job: str, rule: Callable[[Job], Job]) -> Job | None:
        with self._file.writing() as connection:
            record = connection.execute(_JOB, (job,)).fetchone()
            if record is None:
                return None
            changed = rule(_job(record))
            connection.execute(_CHANGE, (*_flags(changed), job))
            return changed

    def record_range(self, report: RangeReport) -> None:
        """Write the range's row unless it exists."""
        with self._file.writing() as connection:
            connection.execute(_RECORD_RANGE, _range_record(report))

    def dispatched(self, job: str) -> Sequence[RangeReport]:
        """The ranges that have been dispatched, in order."""
        with self._file.reading() as connection:
            records = connection.execute(_RANGES, (job,)).fetchall()
        return [RangeReport(*(*figures, json.loads(api_calls))) for *figures, api_calls in records]

    def is_dispatched(self, key: RangeKey) -> bool:
        with self._file.reading() as connection:
            return connection.execute(_RANGE, (key.job, key.number)).fetchone() is not None

    def report_worker(self, report: WorkerReport) -> None:
        """Write the worker's row of a job unless a later one stands."""
        with self._file.writing() as connection:
            connection.execute(_REPORT_WORKER, _worker_record(report))

    def workers(self, job: str) -> Sequence[WorkerReport]:
        with self._file.reading() as connection:
            records = connection.execute(_WORKERS, (job,)).fetchall()
        return [_worker(record) for record in records]

    def job(self, job: str) -> Job | None:
        with self._file.reading() as connection:
            record = connection.execute(_JOB, (job,)).fetchone()
        return None if record is None else _job(record)

    def recent(self, limit: int) -> Sequence[Job]:
        """The latest jobs, newest first."""
        with self._file.reading() as connection:
            return [_job(record) for record in connection.execute(_RECENT, (limit,)).fetchall()]


def _job_record(job: Job) -> tuple[Any, ...]:
    source = job.source
    return (
        job.id,
        source.bucket,
        _stored_name(source.key),
        source.version,
        source.event_ms,
        source.pinned,
        job.size_bytes,
        job.ranges,
        job.shards,
        job.bundle_size,
        job.tasks_estimate,
        job.opened_ms,
        job.gzipped,
        job.retries,
        job.timeout_s,
        *_flags(job),
        job.trace,
        job.seal_key,
        job.keep_logs,
        job.form,
        job.max_fails,
        job.task_slots,
    )


def _stored_name(name: str) -> str | bytes:
    """A file's name as SQLite can keep it: as bytes where it is not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def _flags(job: Job) -> tuple[Any, ...]:
    """What may change while the job goes on."""
    return (job.cancelled_ms, job.paused_ms, job.pause_reason, job.resumed_ms)


def _job(record: tuple[Any, ...]) -> Job:
    job, bucket, key, version, event_ms, pinned, size_bytes, ranges, shards, bundle_size, tasks, opened_ms = record[:12]
    gzipped, retries, timeout_s, cancelled_ms, paused_ms, pause_reason, resumed_ms, *rest = record[12:]
    trace, seal_key, keep_logs, form, max_fails, task_slots = rest
    return Job(
        id=job,
        source=Source(bucket, os.fsdecode(key), version, event_ms, bool(pinned)),
        size_bytes=size_bytes,
        ranges=ranges,
        shards=shards,
        bundle_size=bundle_size,
        tasks_estimate=tasks,
        opened_ms=opened_ms,
        gzipped=bool(gzipped),
        cancelled_ms=cancelled_ms,
        retries=retries,
        timeout_s=timeout_s,
        paused_ms=paused_ms,
        pause_reason=pause_reason,
        resumed_ms=resumed_ms,
        trace=trace,
        seal_key=seal_key,
        keep_logs=bool(keep_logs),
        form=form,
        max_fails=max_fails,
        task_slots=task_slots,
    )


def _range_record(report: RangeReport) -> tuple[Any, ...]:
    return (
        report.job,
        report.range,
        report.tasks,
        report.bundles,
        report.rejected,
        report.lines,
        report.started_ms,
        report.ended_ms,
        json.dumps(dict(report.api_calls)),
    )


def _worker_record(report: WorkerReport) -> tuple[Any, ...]:
    return (
        report.job,
        report.worker,
        report.slots,
        report.started_ms,
        report.seen_ms,
        report.duplicates_dropped,
        report.leases_lost,
        report.unrecorded_runs,
        json.dumps(dict(report.api_calls)),
        report.waited_ms,
        instance_text(report.instance),
        report.failed,
    )


def _worker(record: tuple[Any, ...]) -> WorkerReport:
    *figures, api_calls, waited_ms, instance, failed = record
    return WorkerReport(*(*figures, json.loads(api_calls), waited_ms, read_instance(instance), failed))
