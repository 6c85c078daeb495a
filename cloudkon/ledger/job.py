"""A job: one ingest of one version of one workload; its row, the rows of its ranges and its workers' reports."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cloudkon.ledger.fleet import Instance
from cloudkon.printable import one_line
from cloudkon.stage.names import is_workloads_bucket

RANGE_BYTES = 8 * 1024 * 1024
LOCAL_PREFIX = "local-"
LOCAL_BUCKET = "LOCAL"
"""Stands for a bucket in the source of a LOCAL run; no bucket's name has capitals."""
MAX_RETRIES = 100
"""Each retry is a receive of the message, and the queue gives a message up after so many."""
MAX_TIMEOUT_S = 12 * 3600.0
"""SQS hides a received message for this long at the most: nobody can run a task for longer.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html"""


class JobState(StrEnum):
    DISPATCHING = "dispatching"  # the dispatcher moves it on, with the last range's row
    RUNNING = "running"  # the workers move it on, with the last bundle
    COMPLETE = "complete"  # final
    CANCELLED = "cancelled"  # final; a person moved it here


@dataclass(frozen=True, slots=True)
class Source:
    """One version of one workload: a bucket and a key, a file of this machine, or what was put on a queue."""

    bucket: str
    key: str
    version: str
    """The object's version, or another text that differs between two contents of the same key."""
    event_ms: int
    """When the workload was dropped."""
    pinned: bool = True
    """Whether reads can name the version."""

    @property
    def is_file(self) -> bool:
        """Whether the workload is a file of some machine (of a LOCAL run, or put on a queue), and no object in S3.

        The key alone does not tell: an object's may begin with a slash as well.
        """
        if self.bucket == LOCAL_BUCKET:
            return True
        return self.key.startswith("/") and not self.pinned and not is_workloads_bucket(self.bucket)

    def __str__(self) -> str:
        """For people and logs: characters that can't be printed are replaced."""
        return one_line(f"{self.bucket}:{self.key}" if self.is_file else f"{self.bucket}/{self.key}", None)


@dataclass(frozen=True, slots=True)
class Job:
    """The plan of a job, fixed when it is created so that every range and every retry uses the same, and its state."""

    id: str
    source: Source
    size_bytes: int
    ranges: int
    shards: int
    bundle_size: int
    tasks_estimate: int
    opened_ms: int
    gzipped: bool = False
    cancelled_ms: int | None = None
    retries: int | None = None
    timeout_s: float | None = None
    paused_ms: int | None = None
    pause_reason: str | None = None
    resumed_ms: int | None = None
    """When the job was last resumed after a pause: from then on no breaker pauses it."""
    trace: str | None = None
    """The id of its trace, if it is traced; see tracing.py."""
    seal_key: str | None = None
    """The key that its bundles are sealed with; see seal.py. Jobs that an earlier version has opened have none."""
    keep_logs: bool = False
    """Whether the logs of tasks that succeed are kept, too, as its workload's header says."""
    task_slots: int | None = None
    """How many slots of a worker each of its tasks needs; None: one."""
    max_fails: str | None = None
    """At how many failed tasks, or at which share of them, it is paused; see failure_limit.py."""
    form: str | None = None
    """How tasks are made of its lines, if these are values; see workload/templates/form.py."""


@dataclass(frozen=True, slots=True)
class RangeKey:
    """Which range of which job's workload."""

    job: str
    number: int

    def __str__(self) -> str:
        return f"range {self.number} of {self.job}"


@dataclass(frozen=True, slots=True)
class RangeReport:
    """What the dispatch of one range has produced."""

    job: str
    range: int
    tasks: int
    bundles: int
    rejected: int
    lines: int
    """How many lines the range has: line numbers of the next range go on from there."""
    started_ms: int
    ended_ms: int
    api_calls: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """One worker's report about its work for one job so far; it replaces the earlier ones."""

    job: str
    worker: str
    slots: int
    started_ms: int
    seen_ms: int
    duplicates_dropped: int = 0
    leases_lost: int = 0
    unrecorded_runs: int = 0
    """Runs of tasks whose results were fenced off because another worker had taken over."""
    api_calls: Mapping[str, int] = field(default_factory=dict)
    waited_ms: int = 0
    """How long its slots waited for Python's interpreter while they ran the job's tasks, together."""
    instance: Instance | None = None
    """The EC2 instance that it runs on, if it runs on one."""
    failed: int = 0
    """Tasks that failed, or were rejected, on it and are not tried again."""


def job_id(bucket: str, key: str, version: str, *, prefix: str = "") -> str:
    """Derive a job's id: the name of its key, then 60 bits of a hash over bucket, key and version.

    The dispatcher (from an S3 event) and the command line (from the answer to PutObject) derive the same id.
    """
    digest = hashlib.sha256(
        f"{bucket}\0{key}\0{version}".encode(errors="surrogateescape")
    ).digest()  # a file's name may be no UTF-8
    code = base64.b32encode(digest[:8]).decode().lower()[:12]
    stem = key.rsplit("/", 1)[-1].removesuffix(".gz").rsplit(".", 1)[0]
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:24].strip("-")
    return f"{prefix}{slug or 'job'}-{code}"
