"""What every ledger answers to claims and completions of several bundles in one call: what it answers to each alone."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudkon.ledger.lease import (
    AlreadyDone,
    BundleState,
    Claim,
    Claimed,
    Completion,
    HeldElsewhere,
    Kept,
    Lease,
    LeaseLost,
)
from cloudkon.ledger.results import Results
from cloudkon.local.ledger import SqliteLedger
from cloudkon.ports import Ledger
from tests.support.data.rows import GUARD_MS, LEASE_MS, NOW_MS, ask, claimed, failed, job, key, succeeded

_LAPSED_MS = NOW_MS + LEASE_MS + GUARD_MS
_RESULTS: Results = (succeeded(), failed(), succeeded())


def asks(count: int, *, owner: str = "a", now_ms: int = NOW_MS) -> Sequence[Claim]:
    return [ask(key(number), owner=owner, now_ms=now_ms) for number in range(count)]


def completion(lease: Lease, made_by: Claim, results: Results = _RESULTS) -> Completion:
    return Completion(lease, made_by.lines, made_by.sent_ms, made_by.received_ms, results)


def leases_of(answers: Sequence[object]) -> list[Lease]:
    assert all(isinstance(answer, Claimed) for answer in answers), answers
    return [answer.lease for answer in answers if isinstance(answer, Claimed)]


@pytest.mark.parametrize("count", [0, 1, 2, 10, 26])
def test_new_bundles_are_claimed_together(ledger: Ledger, count: int) -> None:
    """Each of several new bundles is leased as a claim alone would lease it, also more than a call takes."""
    claims = asks(count)
    leases = leases_of(ledger.claim_all(claims))
    assert [(lease.key, lease.owner, lease.attempt) for lease in leases] == [(key(n), "a", 1) for n in range(count)]
    rows = sorted(ledger.bundles(job()), key=lambda row: row.key.number)
    assert [row.state for row in rows] == [BundleState.LEASED] * count
    assert [claimed(ledger, each) for each in claims] == leases  # by its token, each is the claim that was made


def test_each_claim_of_a_batch_is_decided_for_itself(ledger: Ledger) -> None:
    """Beside a new bundle, one that is done, held, released or lapsed is answered as if it had been asked for alone."""
    results = (succeeded(), None, None)
    done, released = (claimed(ledger, ask(key(number), owner="b")) for number in (0, 1))
    ledger.complete(done, _RESULTS, NOW_MS + 9)
    ledger.release(released, results)
    claimed(ledger, ask(key(2), owner="b"))
    claimed(ledger, ask(key(3), owner="b", now_ms=NOW_MS - LEASE_MS - GUARD_MS))
    answers = ledger.claim_all(asks(5))
    assert isinstance(answers[0], AlreadyDone)
    assert tuple(answers[0].row.results) == _RESULTS
    assert answers[2] == HeldElsewhere(_LAPSED_MS)
    assert [lease.attempt for lease in leases_of([answers[1], answers[3], answers[4]])] == [2, 2, 1]
    assert isinstance(answers[1], Claimed)
    assert tuple(answers[1].results) == results


def test_two_messages_of_one_bundle_in_a_batch_are_one_claim(ledger: Ledger) -> None:
    """Of two copies of a bundle's message that are claimed together the second is held off by the first."""
    first, copy = ask(token="t1"), ask(token="t2")
    answers = ledger.claim_all([first, copy])
    assert [type(answer) for answer in answers] == [Claimed, HeldElsewhere]


def test_a_repeated_batch_of_claims_is_recognised(ledger: Ledger) -> None:
    """A batch that is sent again, because its answer was lost, is given the leases that it already has."""
    claims = asks(3)
    leases = leases_of(ledger.claim_all(claims))
    assert leases_of(ledger.claim_all([replace(each, now_ms=each.now_ms + 5) for each in claims])) == leases


def test_bundles_are_completed_together(ledger: Ledger) -> None:
    """Each of several bundles is done, its row what completing it alone would have left, and what the answer says."""
    claims = asks(4)
    done = [completion(lease, made_by) for lease, made_by in zip(ledger_leases(ledger, claims), claims, strict=True)]
    answers = ledger.complete_all(done, NOW_MS + 50)
    rows = sorted(ledger.bundles(job()), key=lambda row: row.key.number)
    assert answers == [Kept(row) for row in rows]
    assert {(row.state, row.completed_ms, tuple(row.results)) for row in rows} == {
        (BundleState.DONE, NOW_MS + 50, _RESULTS)
    }


def ledger_leases(ledger: Ledger, claims: Sequence[Claim]) -> list[Lease]:
    return leases_of(ledger.claim_all(claims))


def test_a_late_owner_is_fenced_off_in_a_batch_too(ledger: Ledger) -> None:
    """Of bundles that are completed together, one that was taken over is lost, and keeps what its new owner writes."""
    claims = asks(3)
    leases = leases_of(ledger.claim_all(claims))
    taken = claimed(ledger, ask(key(1), owner="b", now_ms=_LAPSED_MS))
    done = [completion(lease, made_by) for lease, made_by in zip(leases, claims, strict=True)]
    answers = ledger.complete_all(done, _LAPSED_MS + 1)
    assert [type(answer) for answer in answers] == [Kept, LeaseLost, Kept]
    (row,) = (row for row in ledger.bundles(job()) if row.key == key(1))
    assert (row.state, row.owner) == (BundleState.LEASED, taken.owner)


def test_a_repeated_batch_of_completions_is_kept(ledger: Ledger) -> None:
    """A completion that is sent again, because its answer was lost, is kept as it was written first."""
    claims = asks(2)
    done = [completion(lease, made_by) for lease, made_by in zip(ledger_leases(ledger, claims), claims, strict=True)]
    first = ledger.complete_all(done, NOW_MS + 50)
    assert ledger.complete_all(done, NOW_MS + 90) == first


def test_a_bundle_of_earlier_attempts_keeps_its_owners(ledger: Ledger) -> None:
    """A bundle that others have held is completed among new ones, and its row still names all who held it."""
    claimed(ledger, ask(key(0), owner="b", now_ms=NOW_MS - LEASE_MS - GUARD_MS))
    claims = asks(2)
    done = [completion(lease, made_by) for lease, made_by in zip(ledger_leases(ledger, claims), claims, strict=True)]
    answers = ledger.complete_all(done, NOW_MS + 50)
    assert all(isinstance(answer, Kept) for answer in answers)
    owners = {row.key.number: row.owners for row in ledger.bundles(job())}
    assert owners == {0: ("b", "a"), 1: ("a",)}


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "complete"]),
        st.sampled_from(["a", "b"]),
        st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True),
        st.integers(0, LEASE_MS),
    ),
    max_size=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_a_batch_is_what_its_parts_are_one_by_one(steps: list[tuple[str, str, list[int], int]]) -> None:
    """Whatever two workers ask together, in any order, the answers and rows are those of asking for each alone."""
    together, alone = SqliteLedger(None, guard_ms=GUARD_MS), SqliteLedger(None, guard_ms=GUARD_MS)
    held: dict[tuple[str, int], tuple[Lease, Claim]] = {}
    now_ms = NOW_MS
    try:
        for verb, owner, numbers, later_ms in steps:
            now_ms += later_ms
            if verb == "claim":
                claims = [ask(key(number), owner=owner, now_ms=now_ms) for number in numbers]
                answers = together.claim_all(claims)
                assert list(answers) == [alone.claim(each) for each in claims]
                for made_by, answer in zip(claims, answers, strict=True):
                    if isinstance(answer, Claimed):
                        held[owner, made_by.key.number] = answer.lease, made_by
            else:
                done = [completion(*held[owner, number]) for number in numbers if (owner, number) in held]
                assert list(together.complete_all(done, now_ms)) == [
                    alone.complete(each.lease, each.results, now_ms) for each in done
                ]
        assert list(together.bundles(job())) == list(alone.bundles(job()))
    finally:
        together.close()
        alone.close()
