"""Which requests were throttled is counted, whoever makes them again."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cloudkon.aws.errors import is_throttled
from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.queue import SqsQueue
from cloudkon.aws.session import Session
from cloudkon.clock import SystemClock
from cloudkon.errors import UnavailableError
from tests.support.data.rows import ask, key
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.servers.bad_road import DECK, BadRoad, Fault, bad_road

_SEED = 21
"""With half of a deck throttled, the first request to each service is, and the next two are not."""


@pytest.fixture
def road_of(aws: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], BadRoad]]:
    """Opens the test's road to AWS, on which so many requests of each deck are throttled."""
    with ExitStack() as stack:

        def opened(throttled: int) -> BadRoad:
            faults = {Fault.THROTTLED: throttled}
            road = stack.enter_context(bad_road(aws.environment["AWS_ENDPOINT_URL"], _SEED, faults))
            enter(monkeypatch, aws.environment | {"AWS_ENDPOINT_URL": road.endpoint})
            road.bad = True
            return road

        yield opened


def test_what_boto3_tries_again_is_counted(road_of: Callable[[int], BadRoad]) -> None:
    """Calls that succeed at a later try tell nobody else that they were throttled."""
    road, session = road_of(DECK // 2), Session(tries=9)
    sqs, dynamodb = session.sqs(), session.dynamodb()
    for _ in range(2):
        sqs.list_queues()
        dynamodb.list_tables()
    of_sqs, of_dynamodb = (road.seen[service, Fault.THROTTLED] for service in ("AmazonSQS", "DynamoDB_20120810"))
    assert min(of_sqs, of_dynamodb) > 0
    assert session.meter.throttled() == {"sqs.ListQueues": of_sqs, "dynamodb.ListTables": of_dynamodb}
    assert session.meter.totals() == {"sqs.ListQueues": of_sqs + 2, "dynamodb.ListTables": of_dynamodb + 2}


def test_what_is_given_up_is_counted(road_of: Callable[[int], BadRoad]) -> None:
    """A call whose every try was throttled raises, and each of them is counted."""
    road_of(DECK)
    session = Session(tries=2)
    with pytest.raises(UnavailableError, match="RequestThrottled"):
        SqsQueue(session.sqs(), "https://sqs.test/queue", SystemClock()).approximate_depth()
    assert session.meter.throttled() == {"sqs.GetQueueAttributes": 2}


def test_each_write_of_a_batch_is_counted_beside_its_call(aws: AwsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of claims is one call, and as many writes as it has statements: each of them is billed."""
    enter(monkeypatch, aws.environment)
    session = Session()
    table = aws.ledger(SystemClock())._table.name
    ledger = DynamoLedger(session.dynamodb(), table, guard_ms=2_000, retention_s=86_400, clock=SystemClock())
    ledger.claim_all([ask(key(number)) for number in range(3)])
    totals = session.meter.totals()
    assert totals["dynamodb.BatchExecuteStatement"] == 1
    assert totals["dynamodb.BatchExecuteStatement.statements"] == 3


def refused(code: str, status: int = 400) -> dict[str, Any]:
    return {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


@pytest.mark.parametrize(
    "answer",
    [
        refused("ProvisionedThroughputExceededException"),
        refused("ThrottlingException"),
        refused("RequestThrottled", 403),
        refused("KMS.ThrottlingException"),
        refused("OverLimit", 403),
        refused("SlowDown", 503),
        refused("429", 429),
        {
            "Successful": [{"Id": "0"}],
            "Failed": [{"Id": "1", "Code": "InternalError"}, {"Id": "2", "Code": "Throttling"}],
        },
    ],
)
def test_throttling_has_many_names(answer: dict[str, Any]) -> None:
    """Each service has its own, and a batch may be answered so in part."""
    assert is_throttled(answer)


@pytest.mark.parametrize(
    "answer",
    [
        {"Messages": [], "ResponseMetadata": {"HTTPStatusCode": 200}},
        {"Failed": [{"Id": "1", "Code": "InternalError"}]},
        refused("ServiceUnavailable", 503),
        refused("ConditionalCheckFailedException"),
        {},
    ],
)
def test_other_answers_are_no_throttling(answer: dict[str, Any]) -> None:
    """Neither success nor any other trouble counts."""
    assert not is_throttled(answer)
