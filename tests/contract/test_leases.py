"""What every ledger answers about a bundle: the state machine of lease.py, from outside."""

from dataclasses import replace

import pytest

from cloudkon.ledger.bundle import LineNumbers
from cloudkon.ledger.lease import AlreadyDone, BundleRow, BundleState, Claimed, HeldElsewhere, Kept, LeaseLost
from cloudkon.ledger.results import Results, TaskState
from cloudkon.ports import Ledger
from tests.support.data.rows import GUARD_MS, LEASE_MS, NOW_MS, ask, claimed, failed, job, key, succeeded

_LAPSED_MS = NOW_MS + LEASE_MS + GUARD_MS
"""The first moment at which a bundle that was claimed at NOW_MS may be taken over."""
_NONE: Results = (None, None, None)


def test_the_first_claim_is_given_the_bundle(ledger: Ledger) -> None:
    """A bundle that nobody has claimed is leased, at its first attempt, with no results."""
    answer = ledger.claim(ask(owner="a", token="t1"))
    assert isinstance(answer, Claimed)
    lease = answer.lease
    assert (lease.key, lease.owner, lease.attempt, lease.token) == (key(), "a", 1, "t1")
    assert (lease.claimed_ms, lease.until_ms) == (NOW_MS, NOW_MS + LEASE_MS)
    assert tuple(answer.results) == _NONE


def test_a_repeated_claim_is_recognised_by_its_token(ledger: Ledger) -> None:
    """A claim that is sent again, because its first answer was lost, is given the lease it already has."""
    lease = claimed(ledger, ask(token="t1"))
    assert claimed(ledger, ask(token="t1")) == lease
    assert claimed(ledger, replace(ask(token="t1"), now_ms=NOW_MS + 3, until_ms=NOW_MS + LEASE_MS + 3)) == lease
    (row,) = ledger.bundles(job())
    assert row.owners == ("a",)


def test_a_late_repeat_of_a_claim_is_no_takeover(ledger: Ledger) -> None:
    """A claim whose repeat comes when its lease has lapsed is given that lease: it does not count as another try."""
    lease = claimed(ledger, ask(token="t1"))
    late = replace(ask(token="t1"), now_ms=_LAPSED_MS + 1, until_ms=_LAPSED_MS + 1 + LEASE_MS)
    assert claimed(ledger, late) == lease
    (row,) = ledger.bundles(job())
    assert (row.owners, row.fruitless) == (("a",), 1)


def test_the_same_owner_with_another_token_is_another_claim(ledger: Ledger) -> None:
    """A second copy of a message is held off even from the worker that runs the first."""
    claimed(ledger, ask(token="t1"))
    assert ledger.claim(ask(token="t2")) == HeldElsewhere(_LAPSED_MS)


@pytest.mark.parametrize("now_ms", [NOW_MS, NOW_MS + LEASE_MS, _LAPSED_MS - 1], ids=["new", "lapsed", "guarded"])
def test_a_leased_bundle_is_held(ledger: Ledger, now_ms: int) -> None:
    """Others are told until when a bundle is held: its lease, and a guard for clocks that differ."""
    claimed(ledger, ask(owner="a"))
    assert ledger.claim(ask(owner="b", now_ms=now_ms)) == HeldElsewhere(_LAPSED_MS)


def test_a_lapsed_lease_is_taken_over(ledger: Ledger) -> None:
    """Once the lease and the guard have passed, the next claim is given the bundle, as another attempt."""
    claimed(ledger, ask(owner="a"))
    lease = claimed(ledger, ask(owner="b", now_ms=_LAPSED_MS))
    assert (lease.owner, lease.attempt, lease.until_ms) == ("b", 2, _LAPSED_MS + LEASE_MS)


def test_a_claim_that_was_taken_over_can_not_be_repeated(ledger: Ledger) -> None:
    """The token of an earlier attempt gives no claim on a bundle that another worker holds."""
    claimed(ledger, ask(owner="a", token="t1"))
    claimed(ledger, ask(owner="b", now_ms=_LAPSED_MS))
    answer = ledger.claim(ask(owner="a", token="t1", now_ms=_LAPSED_MS))
    assert answer == HeldElsewhere(_LAPSED_MS + LEASE_MS + GUARD_MS)


def test_a_released_bundle_is_claimed_at_once(ledger: Ledger) -> None:
    """A released bundle is anybody's, with the results that were handed back."""
    results = (succeeded(), None, failed())
    assert isinstance(ledger.release(claimed(ledger, ask(owner="a")), results), Kept)
    answer = ledger.claim(ask(owner="b", now_ms=NOW_MS + 1))
    assert isinstance(answer, Claimed)
    assert (answer.lease.owner, answer.lease.attempt) == ("b", 2)
    assert tuple(answer.results) == results


def test_its_owner_may_claim_a_released_bundle_again(ledger: Ledger) -> None:
    """A worker that released a bundle, for a retry, claims it as another attempt."""
    ledger.release(claimed(ledger, ask(owner="a", token="t1")), _NONE)
    lease = claimed(ledger, ask(owner="a", token="t2", now_ms=NOW_MS + 1))
    assert (lease.owner, lease.attempt) == ("a", 2)


def test_a_done_bundle_is_done_for_everybody(ledger: Ledger) -> None:
    """A copy of a message that comes after the end is answered with the bundle's whole row."""
    results = (succeeded(), failed(), succeeded(state=TaskState.REJECTED, error="no such task"))
    lease = claimed(ledger, ask(owner="a", token="t1"))
    kept = ledger.complete(lease, results, NOW_MS + 50)
    row = BundleRow(
        key=key(),
        state=BundleState.DONE,
        owners=("a",),
        token="t1",
        lines=LineNumbers(((7, 3),)),
        results=results,
        event_ms=NOW_MS - 900,
        sent_ms=NOW_MS - 300,
        received_ms=NOW_MS - 20,
        claimed_ms=NOW_MS,
        lease_until_ms=NOW_MS + LEASE_MS,
        completed_ms=NOW_MS + 50,
    )
    assert kept == Kept(row)
    for claim in (ask(owner="a", token="t1"), ask(owner="b"), ask(owner="b", now_ms=_LAPSED_MS)):
        assert ledger.claim(claim) == AlreadyDone(row)


def test_a_checkpoint_keeps_results_and_renews_the_lease(ledger: Ledger) -> None:
    """What was written down is there after a takeover, which is put off by the renewal."""
    results = (succeeded(value={"a": [1]}), None, None)
    lease = claimed(ledger, ask(owner="a"))
    answer = ledger.checkpoint(lease, results, NOW_MS + LEASE_MS + 40_000)
    assert isinstance(answer, Kept)
    assert (answer.row.state, tuple(answer.row.results)) == (BundleState.LEASED, results)
    assert answer.row.lease_until_ms == NOW_MS + LEASE_MS + 40_000
    assert ledger.claim(ask(owner="b", now_ms=_LAPSED_MS)) == HeldElsewhere(_LAPSED_MS + 40_000)
    taken = ledger.claim(ask(owner="b", now_ms=_LAPSED_MS + 40_000))
    assert isinstance(taken, Claimed)
    assert tuple(taken.results) == results


def test_a_later_checkpoint_replaces_the_earlier(ledger: Ledger) -> None:
    """The last checkpoint stands, as a whole."""
    lease = claimed(ledger, ask(owner="a"))
    ledger.checkpoint(lease, (succeeded(), None, None), NOW_MS + LEASE_MS)
    ledger.checkpoint(lease, (succeeded(), failed(), None), NOW_MS + LEASE_MS)
    (row,) = ledger.bundles(job())
    assert tuple(row.results) == (succeeded(), failed(), None)


def test_who_was_taken_over_is_fenced_off(ledger: Ledger) -> None:
    """No write of the earlier owner changes anything, whatever the time it names."""
    late = claimed(ledger, ask(owner="a"))
    claimed(ledger, ask(owner="b", now_ms=_LAPSED_MS))
    before = list(ledger.bundles(job()))
    mine = (succeeded(), succeeded(), succeeded())
    assert ledger.checkpoint(late, mine, _LAPSED_MS + 10 * LEASE_MS) == LeaseLost()
    assert ledger.complete(late, mine, NOW_MS) == LeaseLost()
    assert ledger.release(late, mine) == LeaseLost()
    assert list(ledger.bundles(job())) == before


def test_an_earlier_attempt_of_the_same_owner_is_fenced_off(ledger: Ledger) -> None:
    """The fence is the owner and the attempt: a worker that claimed anew can't write by its old lease."""
    late = claimed(ledger, ask(owner="a", token="t1"))
    claimed(ledger, ask(owner="a", token="t2", now_ms=_LAPSED_MS))
    assert ledger.checkpoint(late, _NONE, _LAPSED_MS + LEASE_MS) == LeaseLost()
    assert ledger.complete(late, _NONE, _LAPSED_MS) == LeaseLost()
    assert ledger.release(late, _NONE) == LeaseLost()


def test_a_late_end_without_a_takeover_is_kept(ledger: Ledger) -> None:
    """Whoever completes after the lease has lapsed, and before anyone took over, is in time."""
    results = (succeeded(), succeeded(), failed())
    lease = claimed(ledger, ask(owner="a"))
    answer = ledger.complete(lease, results, _LAPSED_MS + 5)
    assert isinstance(answer, Kept)
    assert (answer.row.state, answer.row.completed_ms) == (BundleState.DONE, _LAPSED_MS + 5)


def test_a_late_checkpoint_or_release_without_a_takeover_is_kept(ledger: Ledger) -> None:
    """The fence is the owner, not the time, for every write."""
    lease = claimed(ledger, ask(owner="a"))
    assert isinstance(ledger.checkpoint(lease, _NONE, _LAPSED_MS + LEASE_MS), Kept)
    assert ledger.claim(ask(owner="b", now_ms=_LAPSED_MS)) == HeldElsewhere(_LAPSED_MS + LEASE_MS + GUARD_MS)
    assert isinstance(ledger.release(lease, _NONE), Kept)


def test_a_repeated_end_is_kept_once(ledger: Ledger) -> None:
    """An end that is sent again, because its first answer was lost, is answered with the row that stands."""
    lease = claimed(ledger, ask(owner="a"))
    first = ledger.complete(lease, (succeeded(), None, None), NOW_MS + 50)
    assert ledger.complete(lease, (succeeded(), failed(), failed()), NOW_MS + 99) == first
    assert isinstance(first, Kept)
    assert list(ledger.bundles(job())) == [first.row]


def test_a_repeated_release_is_kept_once(ledger: Ledger) -> None:
    """A release that is sent again is answered with the row that stands."""
    lease = claimed(ledger, ask(owner="a"))
    first = ledger.release(lease, (succeeded(), None, None))
    assert ledger.release(lease, _NONE) == first


def test_an_end_after_another_s_end_is_lost(ledger: Ledger) -> None:
    """The results of whoever took over and completed stand against the first owner's."""
    late = claimed(ledger, ask(owner="a"))
    lease = claimed(ledger, ask(owner="b", now_ms=_LAPSED_MS))
    ledger.complete(lease, (succeeded(attempt=2),) * 3, _LAPSED_MS + 9)
    assert ledger.complete(late, (failed(),) * 3, _LAPSED_MS + 10) == LeaseLost()
    (row,) = ledger.bundles(job())
    assert tuple(row.results) == (succeeded(attempt=2),) * 3


def test_nothing_is_written_after_the_end(ledger: Ledger) -> None:
    """A done bundle is neither checkpointed nor released, by its own owner neither."""
    lease = claimed(ledger, ask(owner="a"))
    ledger.complete(lease, (succeeded(),) * 3, NOW_MS + 50)
    assert ledger.checkpoint(lease, _NONE, NOW_MS + LEASE_MS) == LeaseLost()
    assert ledger.release(lease, _NONE) == LeaseLost()


def test_nothing_is_written_after_a_release(ledger: Ledger) -> None:
    """A beat of the heart that comes after the release does not take the bundle back."""
    lease = claimed(ledger, ask(owner="a"))
    ledger.release(lease, _NONE)
    assert ledger.checkpoint(lease, _NONE, NOW_MS + LEASE_MS) == LeaseLost()
    assert ledger.complete(lease, _NONE, NOW_MS + 1) == LeaseLost()


def test_nothing_is_written_without_a_row(ledger: Ledger) -> None:
    """A lease on a bundle that the ledger does not know, or no longer knows, is lost, and makes no row."""
    lease = replace(claimed(ledger, ask(key(1))), key=key(2))
    assert ledger.checkpoint(lease, _NONE, NOW_MS + LEASE_MS) == LeaseLost()
    assert ledger.complete(lease, _NONE, NOW_MS) == LeaseLost()
    assert ledger.release(lease, _NONE) == LeaseLost()
    assert [row.key for row in ledger.bundles(job())] == [key(1)]


def test_bundles_do_not_touch_each_other(ledger: Ledger) -> None:
    """Bundles of the same number in other ranges and jobs are other bundles."""
    others = [key(0), key(1), key(0, range_=1), key(0, job_="another-abcdefghijkl")]
    leases = [claimed(ledger, ask(other)) for other in others]
    ledger.complete(leases[0], (succeeded(),) * 3, NOW_MS)
    for lease in leases[1:]:
        assert isinstance(ledger.checkpoint(lease, _NONE, NOW_MS + LEASE_MS), Kept)


@pytest.mark.parametrize(
    "result",
    [
        failed("größer als gedacht: 🚀\nline 2\x00"),
        failed("lone \ud800 surrogate"),
        failed("x" * 2_000, runs=3, attempt=7),
        succeeded(value={"k": [1, 2.5, None, True, "ü"]}),
        succeeded(value=0),
        succeeded(value=""),
        succeeded(output="results/job/0.1/2.mp4", runs=2),
        succeeded(start_ms=NOW_MS - 5_000, recorded_ms=NOW_MS - 6_000, duration_us=0),
        succeeded(duration_us=12 * 3_600 * 1_000_000),
    ],
)
def test_results_are_kept_as_they_are(ledger: Ledger, result: object) -> None:
    """Errors, values, keys of outputs, and clocks that disagree come back as they were written."""
    lease = claimed(ledger, ask(tasks=1))
    kept = ledger.complete(lease, [result], NOW_MS)  # type: ignore[list-item]
    (row,) = ledger.bundles(job())
    assert tuple(row.results) == (result,)
    assert kept == Kept(row)


def test_a_bundle_of_many_noisy_tasks_is_kept(ledger: Ledger) -> None:
    """A bundle of 64 tasks that all failed with long errors is recorded whole."""
    results = tuple(failed(f"{number}: " + "x" * 1_990) for number in range(64))
    ledger.complete(claimed(ledger, ask(tasks=64)), results, NOW_MS)
    (row,) = ledger.bundles(job())
    assert tuple(row.results) == results


def test_lines_with_gaps_are_kept(ledger: Ledger) -> None:
    """The line numbers of the first claim stay the bundle's own."""
    lines = LineNumbers.of([1, 2, 5, 9, 10])
    claimed(ledger, replace(ask(tasks=5), lines=lines))
    (row,) = ledger.bundles(job())
    assert (row.lines, len(row.results)) == (lines, 5)


def test_a_takeover_keeps_the_job_s_first_moment(ledger: Ledger) -> None:
    """The base of a bundle's stamps is that of its first claim, so that earlier results keep their times."""
    lease = claimed(ledger, ask(owner="a"))
    ledger.checkpoint(lease, (succeeded(), None, None), NOW_MS + LEASE_MS)
    again = replace(ask(owner="b", now_ms=_LAPSED_MS), event_ms=NOW_MS + 77)
    taken = ledger.claim(again)
    assert isinstance(taken, Claimed)
    assert tuple(taken.results) == (succeeded(), None, None)
    answer = ledger.complete(taken.lease, (succeeded(), failed(), None), _LAPSED_MS)
    assert isinstance(answer, Kept)
    assert tuple(answer.row.results) == (succeeded(), failed(), None)
    assert list(ledger.bundles(job())) == [answer.row]
