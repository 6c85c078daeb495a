"""An owner that lost its lease and lives tells so: it was cut off or suspended, and no task has killed it.

What it has marked stands in the row, as a dead owner's mark does, and each later owner that dies would add to that. The
note stands beside the mark, since the row is another's by now: it is fenced only against the end of the bundle, and
against whoever has not been an owner. It says which attempt it was, so that repeating it changes nothing.
"""

from dataclasses import replace

from cloudkon.ledger.lease import BundleRow, BundleState, Lease


def survivor(lease: Lease, index: int) -> str:
    """The note of one owner about one task, as the row keeps it."""
    return f"{index}@{lease.attempt}"


def lived_on(row: BundleRow | None, lease: Lease, index: int) -> BundleRow | None:
    """Decide the note of an earlier owner that it lives; None if nothing is to be written."""
    if row is None or row.state is BundleState.DONE or row.attempt <= lease.attempt:
        return None
    if row.owners[lease.attempt - 1] != lease.owner:
        return None
    return replace(row, survivors=tuple(sorted({*row.survivors, survivor(lease, index)})))
