"""What the core asks of the world outside; `aws` and `local` answer.

Every verb raises UnavailableError when the service did not answer (the outcome is then unknown and the call may be
repeated), DeniedError when it refuses the credentials, NotFoundError when the queue, table or bucket is missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cloudkon.ledger.fleet import WorkerStatus
from cloudkon.ledger.job import Job, RangeKey, RangeReport, WorkerReport
from cloudkon.ledger.lease import BundleRow, Claim, ClaimAnswer, Lease, Mark, WriteAnswer
from cloudkon.ledger.results import Results
from cloudkon.telemetry.tracing import Place, Span

MAX_BATCH_MESSAGES = 10
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""
MAX_MESSAGE_BYTES = 1024 * 1024
"""Of one message, and of all the messages of one batch together; the same page."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A received message, hidden from others until its visibility timeout ends."""

    body: str
    receipt: str
    receive_count: int
    received_ms: int


class TaskQueue(Protocol):
    """At-least-once, unordered delivery of messages. Batches hold at most MAX_BATCH_MESSAGES entries."""

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        """Send a batch (together at most MAX_MESSAGE_BYTES in UTF-8); return the positions that were refused."""
        ...

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        """Wait up to wait_s for up to count messages (10 at most) and hide them for visibility_s."""
        ...

    def delete(self, receipts: Sequence[str]) -> Sequence[int]:
        """Delete a batch for good; return the positions that failed. What is already gone counts as deleted."""
        ...

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        """Set the visibility timeout of a batch to this long from now; return the positions that failed."""
        ...


class Leases(Protocol):
    """Who may run a bundle, and what came of it. Each write is conditional; see lease.py for the rules."""

    def claim(self, ask: Claim) -> ClaimAnswer: ...

    def checkpoint(self, lease: Lease, results: Results, until_ms: int, mark: Mark | None = None) -> WriteAnswer: ...

    def complete(self, lease: Lease, results: Results, now_ms: int) -> WriteAnswer: ...

    def release(self, lease: Lease, results: Results, mark: Mark | None = None) -> WriteAnswer: ...


class Jobs(Protocol):
    """The rows around the bundles, written by the dispatcher and the workers."""

    def open(self, job: Job) -> Job:
        """Write the job's row and its place in the index unless they exist; return the row that stands."""
        ...

    def record_range(self, report: RangeReport) -> None:
        """Write the range's row unless it exists."""
        ...

    def dispatched(self, job: str) -> Sequence[RangeReport]:
        """The ranges that have been dispatched, in order."""
        ...

    def is_dispatched(self, key: RangeKey) -> bool:
        """Whether one range has been: asked for each of them, where dispatched would read them all."""
        ...

    def report_worker(self, report: WorkerReport) -> None:
        """Write the worker's row of a job unless a later one stands (by seen_ms)."""
        ...


class Control(Protocol):
    """What may be done to a job from outside; see control.py for the rules.

    Each verb returns the job as it stands then, whether it changed anything or not, None if there is no such job.
    """

    def cancel(self, job: str, now_ms: int) -> Job | None: ...

    def pause(self, job: str, reason: str, now_ms: int) -> Job | None: ...

    def resume(self, job: str, now_ms: int) -> Job | None: ...


class History(Protocol):
    """What the ledger tells those who ask."""

    def job(self, job: str) -> Job | None: ...

    def recent(self, limit: int) -> Sequence[Job]:
        """The latest jobs, newest first."""
        ...

    def bundles(self, job: Job) -> Iterator[BundleRow]:
        """All rows of the job's bundles, a page in memory at a time, in no particular order."""
        ...

    def workers(self, job: str) -> Sequence[WorkerReport]: ...


class Fleet(Protocol):
    """The workers there are, whatever they work on."""

    def announce(self, status: WorkerStatus) -> None:
        """Write the worker's row unless a later one stands (by seen_ms); it goes by itself, minutes later."""
        ...

    def fleet(self, since_ms: int) -> Sequence[WorkerStatus]:
        """The workers that were seen since then, in no particular order."""
        ...


class Ledger(Leases, Jobs, Control, History, Fleet, Protocol):
    """All of them together, as one table keeps them."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    size_bytes: int
    etag: str


class ObjectStore(Protocol):
    """A bucket, or a folder. A version of None means the one that stands."""

    def stat(self, key: str, version: str | None = None) -> ObjectInfo:
        """Raises NotFoundError if there is no such object."""
        ...

    def read(self, key: str, version: str | None = None, start: int = 0) -> Iterator[bytes]:
        """The bytes from an offset on, a chunk in memory at a time; nothing from the end on."""
        ...

    def write(self, key: str, data: bytes) -> None: ...

    def upload(self, key: str, source: Path) -> str | None:
        """Write what a file holds, a part in memory at a time; return the object's version, None where it has none."""
        ...

    def link(self, key: str, valid_s: int | None = None) -> str:
        """Where the object is; with valid_s, a URL that opens for so long without credentials, if the store has any."""
        ...


class InstanceGroup(Protocol):
    """Whoever decides which instances go: it is told which should stay for now, and which may go at last."""

    def protect(self, instance: str, *, on: bool) -> None:
        """Keep the instance from being scaled in, or no longer."""
        ...

    def let_go(self, instance: str) -> None:
        """Say that an instance that is about to end holds nothing any more; fine if nobody waits for it."""
        ...


class Tracer(Protocol):
    """Where traces go; see tracing.py for what they tell. No verb raises, and none waits for a network."""

    def open(self, job: str, event_ms: int) -> str | None:
        """Decide whether a new job is traced; return its trace's id, None if it is not."""
        ...

    def wants(self, place: Place | None) -> bool:
        """Whether what hangs there is to be told: nothing need be collected otherwise."""
        ...

    def tell(self, span: Span) -> None:
        """Take a span that has a place and has ended, with all below it."""
        ...

    def close(self) -> None:
        """Let go of what was told; nothing is told after that. May take seconds if nobody takes it."""
        ...


@dataclass(frozen=True, slots=True)
class StoredObject:
    key: str
    size_bytes: int
    since_ms: int
    """When it was written last."""


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """What was sent of an object that is not there yet, or never will be: its writer died."""

    key: str
    id: str
    since_ms: int
    """When it was begun."""


class Inventory(Protocol):
    """What a bucket, or a folder, holds below a prefix that ends with a slash, and how to be rid of it."""

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """A page in memory at a time, in no particular order."""
        ...

    def unfinished(self, prefix: str) -> Iterator[UnfinishedUpload]: ...

    def remove(self, what: Sequence[StoredObject | UnfinishedUpload]) -> Sequence[str]:
        """Delete objects for good, abort uploads; return the keys that failed. What is already gone is no failure."""
        ...


class ResultStore(ObjectStore, Inventory, Protocol):
    """Both together, as the results bucket or folder is."""
