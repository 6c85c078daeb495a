from pathlib import Path

import pytest

from cloudkon.errors import UnavailableError
from cloudkon.ledger.lease import Claimed, HeldElsewhere
from cloudkon.local.faults import Fault, Faults
from cloudkon.local.flaky import flaky
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.store import FolderStore
from tests.support.data.rows import GUARD_MS, ask, job, key
from tests.support.manual_clock import ManualClock


@pytest.fixture
def ledger() -> SqliteLedger:
    return SqliteLedger(None, guard_ms=GUARD_MS)


def always(fault: Fault) -> Faults:
    return Faults(1, {fault: 1.0}, ManualClock())


def test_a_claim_that_fails_claims_nothing(ledger: SqliteLedger) -> None:
    """After a claim that failed before its work, the bundle is free."""
    with pytest.raises(UnavailableError, match=r"ledger\.claim did not answer"):
        flaky(ledger, always(Fault.FAIL), "ledger").claim(ask(owner="a"))
    assert isinstance(ledger.claim(ask(owner="b")), Claimed)


def test_a_claim_whose_answer_is_lost_holds(ledger: SqliteLedger) -> None:
    """After a claim whose answer was lost, the bundle is taken."""
    with pytest.raises(UnavailableError, match=r"answer of ledger\.claim was lost"):
        flaky(ledger, always(Fault.LOSE_ANSWER), "ledger").claim(ask(owner="a"))
    assert isinstance(ledger.claim(ask(owner="b", token="t2")), HeldElsewhere)


def test_rows_break_off(ledger: SqliteLedger) -> None:
    """What a ledger tells row by row may end in an error after some of them."""
    for number in range(30):
        ledger.claim(ask(key(number)))
    seed_that_answers_and_breaks_off = 1
    faults = Faults(seed_that_answers_and_breaks_off, {Fault.FAIL: 0.5}, ManualClock())
    rows = flaky(ledger, faults, "ledger").bundles(job())
    assert next(rows) == next(ledger.bundles(job()))
    with pytest.raises(UnavailableError, match="broke off"):
        list(rows)


def test_a_store_that_loses_the_answer_has_written(tmp_path: Path) -> None:
    """An object whose write was not answered is there."""
    store = FolderStore(tmp_path)
    with pytest.raises(UnavailableError):
        flaky(store, always(Fault.LOSE_ANSWER), "results").write("a", b"b")
    assert b"".join(store.read("a")) == b"b"


def test_a_port_at_rest_is_the_port(tmp_path: Path) -> None:
    """Without odds every verb answers as the port behind does."""
    store = flaky(FolderStore(tmp_path), Faults(1, {}, ManualClock()), "results")
    store.write("a", b"bytes")
    assert (store.size_bytes("a"), b"".join(store.read("a", start=2))) == (5, b"tes")
