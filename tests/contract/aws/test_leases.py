"""The conditions of the table against the rules of lease.py, and what only a remote table does: lose an answer."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from botocore.stub import Stubber

from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.ledger.rows import bundle_key
from cloudkon.errors import CloudKonError, DeniedError, NotFoundError, UnavailableError
from cloudkon.ledger import lease as rules
from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.job import job_id
from cloudkon.ledger.lease import AlreadyDone, BundleRow, Claim, Claimed, HeldElsewhere, Kept, Lease, LeaseLost
from cloudkon.ledger.results import TaskResult, TaskState
from tests.support.emulators.moto_aws import GUARD_MS, RETENTION_S, AwsLab
from tests.support.still_clock import StillClock

NOW = 1_750_000_000_000
LEASE_MS = 120_000
DONE = TaskResult(TaskState.SUCCEEDED, NOW + 5, 1_500, 1, recorded_ms=NOW + 900)


@pytest.fixture(scope="module", params=["aws", "dynalite"])
def lab(request: pytest.FixtureRequest) -> AwsLab:
    """As moto has it, and as strangers have it."""
    made: AwsLab = request.getfixturevalue(request.param)
    return made


@pytest.fixture(scope="module")
def ledger(lab: AwsLab) -> DynamoLedger:
    return lab.ledger(StillClock(NOW))


@pytest.fixture
def key(request: pytest.FixtureRequest) -> BundleKey:
    return BundleKey(job_id("bucket", request.node.name, "1"), 0, 7, 4)


def asking(key: BundleKey, owner: str, now_ms: int = NOW, token: str = "") -> Claim:
    return Claim(
        key, LineNumbers(((1, 2), (5, 1))), NOW - 9, NOW - 5, now_ms, owner, token or owner, now_ms, now_ms + LEASE_MS
    )


def claimed(ledger: DynamoLedger, ask: Claim) -> Lease:
    answer = ledger.claim(ask)
    assert isinstance(answer, Claimed)
    return answer.lease


@contextmanager
def first_answer_lost(lab: AwsLab) -> Iterator[None]:
    """Each request of the ledger reaches the table, its answer gets lost, and it is sent again."""

    def again_at_once(attempts: int, **_: Any) -> int | None:
        return 0 if attempts == 1 else None

    event = "needs-retry.dynamodb.UpdateItem"
    hooks: Any = lab.dynamodb.meta.events
    hooks.register_first(event, again_at_once)
    try:
        yield
    finally:
        hooks.unregister(event, again_at_once)


def test_a_repeated_request_is_recognised_as_ours(lab: AwsLab, ledger: DynamoLedger, key: BundleKey) -> None:
    """When the first answer of every write is lost, each verb still comes to what it would have come to."""
    with first_answer_lost(lab):
        lease = claimed(ledger, asking(key, "a"))
        assert lease.attempt == 1
        assert isinstance(ledger.checkpoint(lease, [DONE, None, None], NOW + LEASE_MS), Kept)
        assert isinstance(ledger.release(lease, [DONE, None, None]), Kept)
        second = claimed(ledger, asking(key, "b"))
        assert second.attempt == 2
        answer = ledger.complete(second, [DONE] * 3, NOW + 900)
    assert isinstance(answer, Kept)
    assert answer.row.owners == ("a", "b")
    assert answer.row.completed_ms == NOW + 900


def test_every_attempt_of_a_call_is_metered(lab: AwsLab, ledger: DynamoLedger, key: BundleKey) -> None:
    """A request that is sent twice is billed twice, and counted twice."""
    before = lab.session.meter.totals().get("dynamodb.UpdateItem", 0)
    with first_answer_lost(lab):
        claimed(ledger, asking(key, "a"))
    assert lab.session.meter.totals()["dynamodb.UpdateItem"] == before + 2


def test_a_lapsed_lease_is_taken_over_to_the_millisecond(ledger: DynamoLedger, key: BundleKey) -> None:
    """Held while lease_until + guard > now; free from that millisecond on."""
    lease = claimed(ledger, asking(key, "a"))
    free_ms = lease.until_ms + GUARD_MS
    assert ledger.claim(asking(key, "b", free_ms - 1)) == HeldElsewhere(free_ms)
    assert claimed(ledger, asking(key, "b", free_ms)).attempt == 2
    assert ledger.checkpoint(lease, [None] * 3, free_ms) == LeaseLost()


def test_the_same_claim_is_no_takeover_however_late(ledger: DynamoLedger, key: BundleKey) -> None:
    """A token stands for one claim: repeated after the lease has lapsed, it is still the first attempt."""
    ask = asking(key, "a")
    lease = claimed(ledger, ask)
    assert claimed(ledger, replace(ask, now_ms=lease.until_ms + 2 * GUARD_MS)) == lease


class Walk:
    """Random steps of the table and of the rules, side by side."""

    def __init__(self, ledger: DynamoLedger, seed: int) -> None:
        self.ledger, self.dice, self.now_ms = ledger, random.Random(seed), NOW
        self.keys = [BundleKey(f"walk-{seed}", 0, number, 3) for number in range(5)]
        self.rows: dict[BundleKey, BundleRow] = {}
        self.leases: list[Lease] = []

    def step(self, number: int) -> None:
        self.now_ms += self.dice.choice([1, 500, LEASE_MS // 2, GUARD_MS])
        if not self.leases or self.dice.random() < 0.4:
            self.claim(f"t{number}")
        else:
            self.write(self.dice.choice(self.leases[-8:]))

    def claim(self, token: str) -> None:
        ask = asking(self.dice.choice(self.keys), self.dice.choice("abcd"), self.now_ms, token)
        ask = replace(ask, event_ms=NOW - self.dice.randrange(9), sent_ms=self.now_ms)
        expected, row = rules.claim(self.rows.get(ask.key), ask, GUARD_MS)
        assert self.ledger.claim(ask) == expected
        if row is not None:
            self.rows[ask.key] = row
        if isinstance(expected, Claimed):
            self.leases.append(expected.lease)

    def write(self, lease: Lease) -> None:
        row, ledger, until_ms = self.rows.get(lease.key), self.ledger, self.now_ms + LEASE_MS
        results = [replace(DONE, attempt=lease.attempt) if self.dice.random() < 0.7 else None for _ in range(3)]
        match self.dice.choices(["checkpoint", "release", "complete"], [60, 35, 5])[0]:
            case "checkpoint":
                expected = rules.checkpoint(row, lease, results, until_ms)
                assert ledger.checkpoint(lease, results, until_ms) == expected
            case "release":
                expected = rules.release(row, lease, results)
                assert ledger.release(lease, results) == expected
            case _:
                expected = rules.complete(row, lease, results, self.now_ms)
                assert ledger.complete(lease, results, self.now_ms) == expected
        if isinstance(expected, Kept):
            self.rows[lease.key] = expected.row


@pytest.mark.parametrize("seed", [1, 20_260_711])
def test_the_table_and_the_rules_agree(ledger: DynamoLedger, seed: int) -> None:
    """Hundreds of steps of four owners over five bundles: each answer, and each row in it, as lease.py has them."""
    walk = Walk(ledger, seed)
    for number in range(250):
        walk.step(number)


def test_the_fence_asks_for_owner_and_attempt(ledger: DynamoLedger, key: BundleKey) -> None:
    """Neither another owner's lease of this attempt nor another attempt of this owner may write."""
    lease = claimed(ledger, asking(key, "a"))
    for forged in (replace(lease, owner="b"), replace(lease, attempt=2)):
        assert ledger.checkpoint(forged, [DONE] * 3, NOW) == LeaseLost()
        assert ledger.release(forged, [DONE] * 3) == LeaseLost()
        assert ledger.complete(forged, [DONE] * 3, NOW) == LeaseLost()
    assert isinstance(ledger.complete(lease, [DONE] * 3, NOW), Kept)


def test_a_completed_bundle_answers_with_its_row(ledger: DynamoLedger, key: BundleKey) -> None:
    """Whoever claims it again gets what has to be forwarded again."""
    kept = ledger.complete(claimed(ledger, asking(key, "a")), [DONE] * 3, NOW + 900)
    assert isinstance(kept, Kept)
    assert ledger.claim(asking(key, "b")) == AlreadyDone(kept.row)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ProvisionedThroughputExceededException", UnavailableError),
        ("InternalServerError", UnavailableError),
        ("AccessDeniedException", DeniedError),
        ("ResourceNotFoundException", NotFoundError),
        ("ValidationException", CloudKonError),
    ],
)
def test_an_error_is_neither_new_nor_duplicate(
    lab: AwsLab, ledger: DynamoLedger, key: BundleKey, code: str, kind: type[CloudKonError]
) -> None:
    """Only a failed condition is an answer; everything else is raised as what it is."""
    with Stubber(lab.dynamodb) as stub:
        stub.add_client_error("update_item", code, "so it goes")
        with pytest.raises(kind, match="Could not write to the table"):
            ledger.claim(asking(key, "a"))


def test_a_refusal_that_the_rules_contradict_is_no_answer(lab: AwsLab, ledger: DynamoLedger, key: BundleKey) -> None:
    """A failed condition without the row that failed it tells nothing: the outcome is unknown."""
    with Stubber(lab.dynamodb) as stub:
        stub.add_client_error("update_item", "ConditionalCheckFailedException")
        with pytest.raises(UnavailableError, match="has to be tried again"):
            ledger.claim(asking(key, "a"))


def test_a_bundle_of_64_is_one_write_unit(lab: AwsLab, ledger: DynamoLedger) -> None:
    """With long names, a second's tasks an hour after the event and a takeover, the row fits 1 KiB."""
    key = BundleKey(job_id("bucket", "a-workload-with-a-very-long-name.txt", "1"), 12_345, 123_456, 64)
    ask = replace(
        asking(key, "i-0123456789abcdef0-12"), token="0123456789abcdef" * 2, lines=LineNumbers(((54_321, 64),))
    )
    lease = claimed(ledger, ask)
    late = NOW + 3_600_000
    result = TaskResult(TaskState.SUCCEEDED, late, 1_000_000, 1, recorded_ms=late + 2_000)
    kept = ledger.complete(lease, [result] * 64, late + 3_000)
    assert isinstance(kept, Kept)
    item = lab.dynamodb.get_item(TableName=ledger._table.name, Key=bundle_key(key))["Item"]
    assert item_bytes(item) <= 1_024
    assert int(item["expires_at"]["N"]) == (late + 3_000) // 1000 + RETENTION_S


def item_bytes(item: Any) -> int:
    """As DynamoDB counts.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Any) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            return (len(content) + 1) // 2 + 1
        case "L":
            return 3 + sum(1 + value_bytes(part) for part in content)
    raise AssertionError(kind)


def test_errors_of_any_length_are_recorded(ledger: DynamoLedger) -> None:
    """Results beyond an item's 400 KB lose the tails of their errors, and nothing else."""
    key = BundleKey("long-errors-aaaa", 0, 0)
    lease = claimed(ledger, replace(asking(key, "a"), lines=LineNumbers(((1, 64),))))
    failed = TaskResult(TaskState.FAILED, NOW, 1, 1, recorded_ms=NOW, error="失" * 2_000, value=[1])
    kept = ledger.complete(lease, [failed] * 64, NOW)
    assert isinstance(kept, Kept)
    for result in kept.row.results:
        assert result is not None
        assert result.error is not None
        assert len(result.error) >= 500
        assert replace(result, error=failed.error) == failed
