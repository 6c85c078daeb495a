"""What becomes of batches of claims and completions where DynamoDB answers in part, or not at all."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.session import Session
from cloudkon.errors import UnavailableError
from cloudkon.ledger.lease import Claimed, Unanswered
from tests.support.data.rows import ask, key
from tests.support.emulators.scripted_aws import ScriptedClient, refusal
from tests.support.still_clock import StillClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ASKS = [ask(key(number)) for number in range(3)]


def ledger(**answers: Any) -> tuple[DynamoLedger, ScriptedClient]:
    client = ScriptedClient(answers)
    made = DynamoLedger(
        cast("DynamoDBClient", client), "ledger", guard_ms=2_000, retention_s=86_400, clock=StillClock()
    )
    return made, client


def responses(*codes: str) -> dict[str, Any]:
    return {"Responses": [{"Error": {"Code": code, "Message": code}} if code else {} for code in codes]}


def claimed_alone(**arguments: Any) -> dict[str, Any]:
    """The row that an UpdateItem of a new bundle leaves."""
    values = arguments["ExpressionAttributeValues"]
    names = {"state": "leased", "token": "token", "lines": "lines", "event": "event", "sent": "sent"}
    names |= {"received": "received", "claimed": "claimed", "until": "until", "fruitless": "one"}
    return {"Attributes": {"owners": values[":owner"], **{name: values[f":{at}"] for name, at in names.items()}}}


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_throttled_statement_is_unanswered_and_the_others_stand(code: str) -> None:
    """Throttling of one statement, inside a success, costs that claim alone, which is asked for again later."""
    made, client = ledger(batch_execute_statement=responses("", code, ""))
    answers = made.claim_all(ASKS)
    assert [type(answer) for answer in answers] == [Claimed, Unanswered, Claimed]
    assert isinstance(answers[1], Unanswered)
    assert isinstance(answers[1].error, UnavailableError)
    assert code in str(answers[1].error)
    assert [verb for verb, _ in client.calls] == ["batch_execute_statement"]


def test_a_refused_statement_is_asked_for_alone() -> None:
    """A claim whose bundle has a row already is decided by the verb that reads it."""
    made, client = ledger(batch_execute_statement=responses("", "DuplicateItem", ""), update_item=claimed_alone)
    assert [type(answer) for answer in made.claim_all(ASKS)] == [Claimed] * 3
    assert [verb for verb, _ in client.calls] == ["batch_execute_statement", "update_item"]


def test_what_can_not_be_decided_alone_either_is_unanswered() -> None:
    """An error of the single verb is its claim's answer: the leases of the others are not lost with it."""
    made, _ = ledger(
        batch_execute_statement=responses("", "InternalServerError", ""),
        update_item=refusal("InternalServerError", 500),
    )
    assert [type(answer) for answer in made.claim_all(ASKS)] == [Claimed, Unanswered, Claimed]


def test_a_role_without_partiql_writes_row_by_row_from_then_on() -> None:
    """A stack of an earlier version gives no permission for batches: its workers go on, one call a bundle."""
    made, client = ledger(update_item=claimed_alone)  # the batch is refused with AccessDenied
    for _ in range(2):
        assert [type(answer) for answer in made.claim_all(ASKS)] == [Claimed] * 3
    assert [verb for verb, _ in client.calls].count("batch_execute_statement") == 1


def test_a_denial_within_a_success_ends_the_batches_too() -> None:
    """Where each statement is denied for itself, its claim is made alone, and no further batch is tried."""
    made, client = ledger(batch_execute_statement=responses(*["AccessDenied"] * 3), update_item=claimed_alone)
    for _ in range(2):
        assert [type(answer) for answer in made.claim_all(ASKS)] == [Claimed] * 3
    assert [verb for verb, _ in client.calls].count("batch_execute_statement") == 1


@pytest.mark.parametrize("answer", [responses("", ""), {}, {"Responses": []}], ids=["short", "none", "empty"])
def test_an_answer_that_leaves_writes_out_is_no_answer(answer: dict[str, Any]) -> None:
    """A success that does not account for every statement is not taken for one."""
    made, _ = ledger(batch_execute_statement=answer)
    with pytest.raises(UnavailableError):
        made.claim_all(ASKS)


def test_a_lone_claim_takes_the_single_verb() -> None:
    """One bundle is claimed by UpdateItem, which also decides what an INSERT can't."""
    made, client = ledger(update_item=claimed_alone)
    assert [type(answer) for answer in made.claim_all(ASKS[:1])] == [Claimed]
    assert [verb for verb, _ in client.calls] == ["update_item"]


def test_throttled_statements_are_counted_like_throttled_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """`status` tells of throttling whether a call was throttled or a statement within one."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    session = Session()
    told: Callable[..., None] = session._look_at_answer
    told(
        "response-received.dynamodb.BatchExecuteStatement",
        {**responses("", "ThrottlingError", "ThrottlingError"), "ResponseMetadata": {"HTTPStatusCode": 200}},
    )
    assert session.meter.throttled() == {"dynamodb.BatchExecuteStatement": 2}
