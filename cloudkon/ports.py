"""The ports: what the core needs of the outside world. `aws` and `local` implement them.

Every verb raises UnavailableError when the service did not answer (the outcome is then unknown and the call may be
repeated), DeniedError when it refuses the credentials, NotFoundError when the queue, table or bucket is missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cloudkon.ledger.fleet import WorkerStatus
from cloudkon.ledger.job import Job, RangeKey, RangeReport, WorkerReport
from cloudkon.ledger.lease import BundleRow, Claim, ClaimAnswer, Completion, Lease, Mark, Unanswered, WriteAnswer
from cloudkon.ledger.results import Results
from cloudkon.ledger.task_times import TaskTimes
from cloudkon.telemetry.tracing import Span, TraceContext

MAX_BATCH_MESSAGES = 10
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""
MAX_MESSAGE_BYTES = 1024 * 1024
"""Of one message, and of all the messages of one batch together; the same page."""
MAX_DELAY_S = 900  # the same page


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

    def send_later(self, bodies: Sequence[str], delay_s: float) -> Sequence[int]:
        """Send a batch that nobody receives before so long, 15 minutes at most; meanwhile it is not in flight."""

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        """Wait up to wait_s for up to count messages (10 at most) and hide them for visibility_s."""

    def delete(self, receipts: Sequence[str]) -> Sequence[int]:
        """Delete a batch for good; return the positions that failed. What is already gone counts as deleted."""

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        """Set the visibility timeout of a batch to this long from now; return the positions that failed."""


class Leases(Protocol):
    """Who may run a bundle, and what became of its tasks.

    Each verb is one conditional write; lease.py decides it. A verb whose answer was lost may be repeated as it was: the
    claim's token, the lease's owner and attempt tell that it is the same one, and it is answered as the first time.
    """

    def claim(self, ask: Claim) -> ClaimAnswer:
        """Ask for a bundle that a message has brought.

        Before: the bundle has no row, or its row stands in any state. After `Claimed` the row is LEASED to the asker
        until ask.until_ms, as one attempt more; the answer holds the results that earlier attempts checkpointed, and no
        one else may claim the bundle before the lease has lapsed. The other answers change nothing: `AlreadyDone` means
        that every task has its result (forward the completion record again, and delete the message), `HeldElsewhere`
        that another worker's lease still holds (hide the message until then).
        """
        ...

    def checkpoint(self, lease: Lease, results: Results, until_ms: int, mark: Mark | None = None) -> WriteAnswer:
        """Renew the lease until until_ms, and record the results so far.

        Before: the row is LEASED. After `Kept` it still is, holds exactly these results, and names the marked task, or
        none: a task is marked before it runs in a bundle whose last worker died. After `LeaseLost` nothing has changed:
        somebody else has claimed, released or completed the bundle, and the caller drops it.
        """
        ...

    def complete(self, lease: Lease, results: Results, now_ms: int) -> WriteAnswer:
        """Record the final result of every task.

        Before: the row is LEASED; a lease that has lapsed is good enough while nobody has taken over. After `Kept` the
        row is DONE for good, and the message may be deleted once the completion record is forwarded. After `LeaseLost`
        nothing has changed, and the caller drops the bundle.
        """
        ...

    def claim_all(self, asks: Sequence[Claim]) -> Sequence[ClaimAnswer | Unanswered]:
        """Claim several bundles in as few calls as the ledger has for it; each claim stands for itself, as in `claim`.

        The answers are in the order of the asks. An ask that could not be decided is `Unanswered`, and the others are
        as they are.
        """
        ...

    def complete_all(self, done: Sequence[Completion], now_ms: int) -> Sequence[WriteAnswer | Unanswered]:
        """Complete several bundles in as few calls as the ledger has for it; each write is fenced as in `complete`."""
        ...

    def release(self, lease: Lease, results: Results, mark: Mark | None = None) -> WriteAnswer:
        """Give an unfinished bundle back with the results so far.

        Before: the row is LEASED. After `Kept` it is RELEASED: whoever receives the message may claim it at once, and
        this attempt is not held against the bundle. A mark stays for the next owner to see. After `LeaseLost` nothing
        has changed.
        """
        ...

    def lived_on(self, lease: Lease, index: int) -> None:
        """Note that the owner of a lease that it has lost was alive, whatever it had marked: that was no strike.

        Before: the bundle is another's. Afterwards whoever claims it next knows; whoever holds it is not disturbed.
        """
        ...


class DispatchedRanges(Protocol):
    """Which ranges of a job have been dispatched."""

    def dispatched(self, job: str) -> Sequence[RangeReport]:
        """The reports of the dispatched ranges, in order; empty for a job that there is not."""
        ...

    def is_dispatched(self, key: RangeKey) -> bool:
        """Whether this range has a report: one row is read, where dispatched reads them all."""
        ...


class Jobs(DispatchedRanges, TaskTimes, Protocol):
    """The rows around the bundles, written by the dispatcher and the workers. Every write may be repeated."""

    def open(self, job: Job) -> Job:
        """Write the job's row and its place in the index unless they exist; return the row that stands.

        Afterwards there is exactly one row: the first plan binds every later dispatch.
        """
        ...

    def record_range(self, report: RangeReport) -> None:
        """Write the range's row unless it exists. Before: all bundles and rejects of the range have been sent."""
        ...

    def report_worker(self, report: WorkerReport) -> None:
        """Write the worker's row of a job unless a later one stands (by seen_ms)."""
        ...


class Control(Protocol):
    """What may be done to a job from outside; control.py has the rules.

    Each verb returns the job as it stands afterwards, whether the verb changed anything or not; None if there is no
    such job. When verbs race, each sees what the ones before it have written.
    """

    def cancel(self, job: str, now_ms: int) -> Job | None:
        """Cancel the job for good; it is no longer paused. The time of the first cancel stands."""
        ...

    def pause(self, job: str, reason: str, now_ms: int) -> Job | None:
        """Pause the job unless it is cancelled; the reason and time of the first pause stand."""
        ...

    def resume(self, job: str, now_ms: int) -> Job | None:
        """Let a paused job go on; a job that is not paused stays as it is."""
        ...


class History(Protocol):
    """What the ledger tells of jobs, their bundles and their workers."""

    def job(self, job: str) -> Job | None:
        """The job's row; None if there is no such job, or it was forgotten."""
        ...

    def recent(self, limit: int) -> Sequence[Job]:
        """The latest jobs, newest first."""
        ...

    def bundles(self, job: Job) -> Iterator[BundleRow]:
        """All rows of the job's bundles, a page in memory at a time, in no particular order."""
        ...

    def workers(self, job: str) -> Sequence[WorkerReport]:
        """The latest report of each worker that worked for the job."""
        ...


class LedgerReader(History, DispatchedRanges, Protocol):
    """Everything that reports about jobs are worked out from."""


class Fleet(Protocol):
    """The workers there are, whatever they work on."""

    def announce(self, status: WorkerStatus) -> None:
        """Write the worker's row unless a later one stands (by seen_ms); it expires minutes later."""
        ...

    def fleet(self, since_ms: int) -> Sequence[WorkerStatus]:
        """The workers that were seen since then, in no particular order."""
        ...


class Ledger(Leases, Jobs, Control, LedgerReader, Fleet, Protocol):
    """All of them together, as one table keeps them."""


class ObjectStore(Protocol):
    """A bucket, or a folder. A version of None means the one that stands."""

    def size_bytes(self, key: str, version: str | None = None) -> int:
        """How large the object is. Raises NotFoundError if there is no such object."""
        ...

    def read(self, key: str, version: str | None = None, start: int = 0) -> Iterator[bytes]:
        """The bytes from an offset on, a chunk in memory at a time; nothing from the end on."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Write the object as a whole; afterwards readers get all of the new bytes, before that all of the old."""
        ...

    def upload(self, key: str, source: Path) -> str | None:
        """Write what a file holds, a part in memory at a time; return the object's version, None where it has none."""
        ...

    def link(self, key: str, valid_s: int | None = None) -> str:
        """Where the object is; with valid_s, a URL that opens for so long without credentials, if the store has any."""
        ...


class InstanceGroup(Protocol):
    """The auto scaling group of the workers' instances, which decides which of them are terminated."""

    def protect(self, instance: str, *, on: bool) -> None:
        """Keep the instance from being scaled in, or no longer."""

    def let_go(self, instance: str) -> None:
        """End the wait of the termination hook: the instance holds no work any more. No error if no hook is waiting."""


class Tracer(Protocol):
    """Where traces are sent; tracing.py describes them. No verb raises, and none waits for a network."""

    def open(self, job: str, event_ms: int) -> str | None:
        """Decide whether a new job is traced; return its trace's id, None if it is not."""

    def wants(self, context: TraceContext | None) -> bool:
        """Whether spans in this context are recorded: if not, nothing need be collected for them."""

    def tell(self, span: Span) -> None:
        """Take a span that has a context and has ended, with all spans below it."""

    def close(self) -> None:
        """Send what is left, for some seconds at most; nothing is told after that."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing of its bucket or folder shows it."""

    key: str
    size_bytes: int
    since_ms: int
    """When it was last written."""


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """An upload that is still going on, or whose writer died."""

    key: str
    id: str
    since_ms: int
    """When the upload began."""


class Inventory(Protocol):
    """Lists and deletes what a bucket or a folder holds below a prefix that ends with a slash."""

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """The objects, a page in memory at a time, in no particular order."""
        ...

    def unfinished(self, prefix: str) -> Iterator[UnfinishedUpload]:
        """The uploads that have not ended, in the same way."""
        ...

    def remove(self, what: Sequence[StoredObject | UnfinishedUpload]) -> Sequence[str]:
        """Delete objects for good, abort uploads; return the keys that failed. What is already gone is no failure."""
        ...


class ResultStore(ObjectStore, Inventory, Protocol):
    """Both together, as the results bucket or folder is."""
