"""AWS as strangers implemented it (tests/support/servers/judges.py), for the contracts of ledger and queue."""

from collections.abc import Iterator
from typing import Any

import pytest

from cloudkon.aws.ledger.dynamodb import DynamoLedger
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.servers.judges import Judges, judges

_REFUSED = "ConditionalCheckFailedException"
_VERBS = ("PutItem", "UpdateItem")


@pytest.fixture(scope="session")
def strangers() -> Iterator[Judges]:
    with judges() as served:
        yield served


@pytest.fixture(scope="session")
def dynalite(strangers: Judges) -> AwsLab:
    lab = AwsLab(strangers.dynamodb)
    tell_refused_rows(lab)
    return lab


@pytest.fixture(scope="session")
def fauxqs(strangers: Judges) -> AwsLab:
    return AwsLab(strangers.sqs)


def tell_refused_rows(lab: AwsLab) -> None:
    """Put the row into the answer to a write that its condition refused: dynalite is older than that option.

    It is read after the refusal, which is the same as long as nobody else writes; the refusal itself is dynalite's.
    """
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, lab.environment)
        reader = lab.session.dynamodb()
    asked: dict[int, dict[str, Any]] = {}
    hooks: Any = lab.dynamodb.meta.events

    def remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        asked[id(context)] = params

    def add_row(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        params = asked.pop(id(context))
        if parsed.get("Error", {}).get("Code") == _REFUSED:
            key = params.get("Key") or {name: params["Item"][name] for name in ("pk", "sk")}
            row = reader.get_item(TableName=params["TableName"], Key=key, ConsistentRead=True)
            parsed["Item"] = row.get("Item")

    for verb in _VERBS:
        hooks.register(f"provide-client-params.dynamodb.{verb}", remember)
        hooks.register(f"after-call.dynamodb.{verb}", add_row)


def row_by_row(ledger: DynamoLedger) -> DynamoLedger:
    """A ledger that writes no batches, as of a role that may not: dynalite knows no PartiQL."""
    ledger._may_batch = False
    return ledger
