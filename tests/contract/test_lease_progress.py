"""What every ledger keeps about a bundle's progress: fruitless claims, and the mark of the task that runs."""

from cloudkon.ledger.lease import Kept, Mark
from cloudkon.ledger.results import Results
from cloudkon.ports import Ledger
from tests.support.data.rows import GUARD_MS, LEASE_MS, NOW_MS, ask, claimed, job, succeeded

_LAPSED_MS = NOW_MS + LEASE_MS + GUARD_MS
"""The first moment at which a bundle that was claimed at NOW_MS may be taken over."""
_NONE: Results = (None, None, None)


def test_claims_without_progress_are_counted(ledger: Ledger) -> None:
    """Each takeover of a bundle whose owner recorded nothing counts; the first claim is the first of them."""
    assert claimed(ledger, ask(owner="a")).fruitless == 1
    assert claimed(ledger, ask(owner="b", now_ms=_LAPSED_MS)).fruitless == 2
    again_ms = _LAPSED_MS + LEASE_MS + GUARD_MS
    assert claimed(ledger, ask(owner="c", now_ms=again_ms)).fruitless == 3


def test_progress_starts_the_count_anew(ledger: Ledger) -> None:
    """Whoever takes over from an owner that had recorded a run is the second again, not the third."""
    claimed(ledger, ask(owner="a"))
    lease = claimed(ledger, ask(owner="b", now_ms=_LAPSED_MS))
    ledger.checkpoint(lease, (succeeded(), None, None), _LAPSED_MS + LEASE_MS)
    taken = claimed(ledger, ask(owner="c", now_ms=_LAPSED_MS + LEASE_MS + GUARD_MS))
    assert (taken.fruitless, taken.runs) == (2, 1)


def test_a_checkpoint_without_a_run_is_no_progress(ledger: Ledger) -> None:
    """A heartbeat keeps the count."""
    claimed(ledger, ask(owner="a"))
    lease = claimed(ledger, ask(owner="b", now_ms=_LAPSED_MS))
    answer = ledger.checkpoint(lease, _NONE, _LAPSED_MS + LEASE_MS)
    assert isinstance(answer, Kept)
    assert answer.row.fruitless == 2


def test_an_interruption_costs_no_claim(ledger: Ledger) -> None:
    """After a release the next claim is the first."""
    claimed(ledger, ask(owner="a"))
    ledger.release(claimed(ledger, ask(owner="b", now_ms=_LAPSED_MS)), _NONE)
    assert claimed(ledger, ask(owner="c", now_ms=_LAPSED_MS + 1)).fruitless == 1


def test_a_mark_outlives_its_worker(ledger: Ledger) -> None:
    """Whoever takes over learns which task was running, and how often it was begun."""
    lease = claimed(ledger, ask(owner="a"))
    assert lease.mark is None
    ledger.checkpoint(lease, _NONE, NOW_MS + LEASE_MS, Mark(1, 2))
    assert claimed(ledger, ask(owner="b", now_ms=_LAPSED_MS)).mark == Mark(1, 2)


def test_a_mark_is_taken_off_by_the_next_write(ledger: Ledger) -> None:
    """A checkpoint or release without a mark leaves none, nor does the end."""
    lease = claimed(ledger, ask(owner="a"))
    ledger.checkpoint(lease, _NONE, NOW_MS + LEASE_MS, Mark(0, 1))
    ledger.checkpoint(lease, _NONE, NOW_MS + LEASE_MS)
    (row,) = ledger.bundles(job())
    assert row.mark is None
    ledger.release(lease, _NONE, Mark(2, 1))
    lease = claimed(ledger, ask(owner="b", token="t2", now_ms=NOW_MS + 1))
    assert lease.mark == Mark(2, 1)
    ended = ledger.complete(lease, (succeeded(), succeeded(), succeeded()), NOW_MS + 2)
    assert isinstance(ended, Kept)
    assert ended.row.mark is None
