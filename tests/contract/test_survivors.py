"""What every ledger keeps of owners that lost their lease and lived: their marks are no strikes."""

from collections.abc import Sequence

from cloudkon.ledger.lease import Claimed, Kept, Lease, LeaseLost, Mark
from cloudkon.ports import Ledger
from tests.support.data.rows import GUARD_MS, LEASE_MS, NOW_MS, ask, claimed, job, succeeded

_NONE = (None, None, None)
_TAKEN_OVER_MS = LEASE_MS + GUARD_MS


def owners(ledger: Ledger, count: int) -> Sequence[Lease]:
    """So many owners one after the other, each of which marks the second task and is not heard of again."""
    leases = []
    for number in range(count):
        lease = claimed(ledger, ask(owner=f"w{number + 1}", now_ms=NOW_MS + number * _TAKEN_OVER_MS))
        assert isinstance(ledger.checkpoint(lease, _NONE, lease.until_ms, Mark(1, number + 1)), Kept)
        leases.append(lease)
    return leases


def next_mark(ledger: Ledger, attempt: int) -> Mark | None:
    return claimed(ledger, ask(owner="next", now_ms=NOW_MS + attempt * _TAKEN_OVER_MS)).mark


def test_the_next_owner_learns_how_many_lived_on(ledger: Ledger) -> None:
    """Each that tells so is counted once, however often it does."""
    first, second, _ = owners(ledger, 3)
    for lease in (first, second, second):
        ledger.lived_on(lease, 1)
    assert next_mark(ledger, 3) == Mark(1, 3, spared=2)


def test_what_lived_on_under_another_mark_is_not_counted(ledger: Ledger) -> None:
    """Strikes are a task's own, and so is what takes them back."""
    first, _ = owners(ledger, 2)
    ledger.lived_on(first, 0)
    assert next_mark(ledger, 2) == Mark(1, 2, spared=0)


def test_who_holds_the_bundle_is_not_disturbed(ledger: Ledger) -> None:
    """Its checkpoints and its end are as without the note, and the note survives its checkpoints."""
    first, second = owners(ledger, 2)
    ledger.lived_on(first, 1)
    assert isinstance(ledger.checkpoint(second, _NONE, second.until_ms, Mark(1, 2)), Kept)
    assert next_mark(ledger, 2) == Mark(1, 2, spared=1)
    assert ledger.checkpoint(first, _NONE, second.until_ms) == LeaseLost()


def test_only_an_owner_that_was_replaced_can_tell_so(ledger: Ledger) -> None:
    """Not the one that holds the bundle, not one that never did, nobody of a bundle without a row or at its end."""
    stranger = Lease(ask().key, "stranger", 1, "t", NOW_MS, NOW_MS, NOW_MS)
    ledger.lived_on(stranger, 1)
    assert list(ledger.bundles(job())) == []
    first, second = owners(ledger, 2)
    for lease in (stranger, second):
        ledger.lived_on(lease, 1)
    assert next_mark(ledger, 2) == Mark(1, 2, spared=0)
    answer = ledger.claim(ask(owner="last", now_ms=NOW_MS + 4 * _TAKEN_OVER_MS))
    assert isinstance(answer, Claimed)
    ledger.complete(answer.lease, [succeeded()] * 3, NOW_MS)
    before = list(ledger.bundles(job()))
    ledger.lived_on(first, 1)
    assert list(ledger.bundles(job())) == before
