r"""The state machine of a bundle in the ledger; without any I/O.

    (no row) --claim--> LEASED --complete--> DONE
                         ^  |  \--checkpoint--> LEASED (results so far, lease renewed)
                         |  \--release--> RELEASED
                         \--claim by another, once lease_until has passed, or at once if RELEASED

The local ledger runs these functions inside a transaction; the DynamoDB ledger writes them as conditions.
One contract suite holds the two to the same answers.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeGuard

from cloudkon.errors import CloudKonError
from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.result_columns import frozen, runs_of
from cloudkon.ledger.results import Results


class BundleState(StrEnum):
    LEASED = "leased"  # its owner moves it on, or anyone once the lease has lapsed
    RELEASED = "released"  # whoever claims it next moves it on
    DONE = "done"  # final


@dataclass(frozen=True, slots=True)
class Mark:
    """The task that runs after a crash of its bundle's worker, and how often it was begun without ending (strikes)."""

    index: int
    times: int
    spared: int = 0
    """How many of these times its worker is known to have lived on (survival.py); found out at the claim."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's request for a bundle."""

    key: BundleKey
    lines: LineNumbers
    event_ms: int
    sent_ms: int
    received_ms: int
    owner: str
    token: str
    """Belongs to this claim alone: a request that is repeated after a lost answer is recognised by it."""
    now_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's time-limited, fenced claim; every later write names its owner and attempt."""

    key: BundleKey
    owner: str
    attempt: int
    token: str
    event_ms: int
    """The time that the stamps of the results are relative to, so that packing them needs no read of the row."""
    claimed_ms: int
    until_ms: int
    fruitless: int = 1
    """How many claims in a row, this one included, made no progress: above 1, the claim before ended in a crash."""
    runs: int = 0
    """How many runs of tasks were recorded when the bundle was claimed; more than these are progress."""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class BundleRow:
    """A bundle as the ledger holds it."""

    key: BundleKey
    state: BundleState
    owners: tuple[str, ...]
    """The workers that claimed the bundle: attempt n belongs to owners[n - 1]."""
    token: str
    lines: LineNumbers
    results: Results
    event_ms: int
    sent_ms: int
    received_ms: int
    claimed_ms: int
    lease_until_ms: int
    completed_ms: int | None = None
    fruitless: int = 1
    mark: Mark | None = None
    survivors: tuple[str, ...] = ()
    """Notes of earlier owners that they live: see survival.py."""

    @property
    def attempt(self) -> int:
        return len(self.owners)

    @property
    def owner(self) -> str:
        return self.owners[-1]


@dataclass(frozen=True, slots=True)
class Claimed:
    """The asker holds the bundle now; results are those that earlier attempts have checkpointed."""

    lease: Lease
    results: Results


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The bundle was completed; its completion record is to be forwarded again, for its sender may have died."""

    row: BundleRow


@dataclass(frozen=True, slots=True)
class HeldElsewhere:
    """Another worker holds the bundle until this time [ms since the epoch]."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The write was made; row is the bundle's row afterwards."""

    row: BundleRow


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Another worker has taken the bundle over: drop it. This is an ordinary answer, not a failure."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Of several writes in one call, this one has no answer: it may have happened, and may be repeated as it was."""

    error: CloudKonError


@dataclass(frozen=True, slots=True)
class Completion:
    """What a worker brings to complete a bundle among others: all that the row needs, so that nobody reads it first."""

    lease: Lease
    lines: LineNumbers
    sent_ms: int
    received_ms: int
    results: Results


ClaimAnswer = Claimed | AlreadyDone | HeldElsewhere
WriteAnswer = Kept | LeaseLost


def claim(row: BundleRow | None, ask: Claim, guard_ms: int) -> tuple[ClaimAnswer, BundleRow | None]:
    """Decide a claim; the second value is the row to write, None if nothing changes.

        lease_until        + guard
    ---------|----------------|----------------> now
     held    |  held (clocks) |  free to take over
    """
    if row is None:
        return _granted(ask, _unclaimed(ask))
    if row.state is BundleState.DONE:
        return AlreadyDone(row), None
    if row.state is BundleState.LEASED:
        if row.token == ask.token and row.owner == ask.owner:
            return Claimed(lease_of(row), row.results), None
        if row.lease_until_ms + guard_ms > ask.now_ms:
            return HeldElsewhere(row.lease_until_ms + guard_ms), None
    return _granted(ask, row)


def _unclaimed(ask: Claim) -> BundleRow:
    nothing: Results = (None,) * len(ask.lines)
    return BundleRow(
        key=ask.key,
        state=BundleState.RELEASED,
        owners=(),
        token="",
        lines=ask.lines,
        results=nothing,
        event_ms=ask.event_ms,
        sent_ms=0,
        received_ms=0,
        claimed_ms=0,
        lease_until_ms=0,
        fruitless=0,
    )


def _granted(ask: Claim, row: BundleRow) -> tuple[Claimed, BundleRow]:
    taken = replace(
        row,
        fruitless=row.fruitless + 1,
        state=BundleState.LEASED,
        owners=(*row.owners, ask.owner),
        token=ask.token,
        sent_ms=ask.sent_ms,
        received_ms=ask.received_ms,
        claimed_ms=ask.now_ms,
        lease_until_ms=ask.until_ms,
    )
    return Claimed(lease_of(taken), taken.results), taken


def lease_of(row: BundleRow) -> Lease:
    return Lease(
        row.key,
        row.owner,
        row.attempt,
        row.token,
        row.event_ms,
        row.claimed_ms,
        row.lease_until_ms,
        row.fruitless,
        runs_of(row.results),
        row.mark and replace(row.mark, spared=sum(note.startswith(f"{row.mark.index}@") for note in row.survivors)),
    )


def checkpoint(
    row: BundleRow | None, lease: Lease, results: Results, until_ms: int, mark: Mark | None = None
) -> WriteAnswer:
    """Decide a renewal that also writes down the results so far, and the task that is about to run, if it is marked."""
    if not _holds(row, lease):
        return LeaseLost()
    kept = replace(
        row,
        results=frozen(results),
        lease_until_ms=until_ms,
        fruitless=fruitless_after(lease, results),
        mark=mark,
    )
    return Kept(kept)


def fruitless_after(lease: Lease, results: Results) -> int:
    """How many claims without progress a checkpoint leaves: progress sets the count back to 1.

    If every claim counted, healthy bundles would be given up where many workers are stopped.
    """
    return 1 if runs_of(results) > lease.runs else lease.fruitless


def complete(row: BundleRow | None, lease: Lease, results: Results, now_ms: int) -> WriteAnswer:
    """Decide the end of a bundle; late is fine while nobody took over: the fence is the owner, not the time."""
    if row is not None and row.state is BundleState.DONE and _ours(row, lease):
        return Kept(row)  # a retried request whose first try had succeeded
    if not _holds(row, lease):
        return LeaseLost()
    return Kept(replace(row, state=BundleState.DONE, results=frozen(results), completed_ms=now_ms, mark=None))


def completed_row(done: Completion, now_ms: int) -> BundleRow:
    """Build the row that completing a bundle at its first attempt leaves: no earlier owner is in it."""
    lease = done.lease
    return BundleRow(
        key=lease.key,
        state=BundleState.DONE,
        owners=(lease.owner,),
        token=lease.token,
        lines=done.lines,
        results=frozen(done.results),
        event_ms=lease.event_ms,
        sent_ms=done.sent_ms,
        received_ms=done.received_ms,
        claimed_ms=lease.claimed_ms,
        lease_until_ms=lease.until_ms,
        completed_ms=now_ms,
        fruitless=lease.fruitless,
    )


def release(row: BundleRow | None, lease: Lease, results: Results, mark: Mark | None = None) -> WriteAnswer:
    """Decide the return of an unfinished bundle, for anyone to claim at once; an interruption costs no budget."""
    if row is not None and row.state is BundleState.RELEASED and _ours(row, lease):
        return Kept(row)
    if not _holds(row, lease):
        return LeaseLost()
    return Kept(replace(row, state=BundleState.RELEASED, results=frozen(results), fruitless=0, mark=mark))


def _ours(row: BundleRow, lease: Lease) -> bool:
    return row.owner == lease.owner and row.attempt == lease.attempt


def _holds(row: BundleRow | None, lease: Lease) -> TypeGuard[BundleRow]:
    return row is not None and row.state is BundleState.LEASED and _ours(row, lease)
