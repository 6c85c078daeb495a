"""The AWS adapters, for the contract of each port; see adapters.py."""

from collections.abc import Callable

import pytest

from cloudkon.clock import SystemClock
from cloudkon.ports import Ledger, ResultStore, TaskQueue
from tests.support.emulators.judged_aws import row_by_row
from tests.support.emulators.moto_aws import AwsLab
from tests.support.still_clock import StillClock

FAUXQS_FAULTS = {
    "test_a_message_arrives_as_it_was_sent": "it refuses characters beyond U+FFFF, which SQS takes: "
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html",
}
"""By test: where AWS's own page says that fauxqs is wrong."""


def _sqs_queue(request: pytest.FixtureRequest) -> TaskQueue:
    return _lab(request).queue(SystemClock())


def _dynamo_ledger(request: pytest.FixtureRequest) -> Ledger:
    return _lab(request).ledger(StillClock())


def _dynalite_ledger(request: pytest.FixtureRequest) -> Ledger:
    lab: AwsLab = request.getfixturevalue("dynalite")
    return row_by_row(lab.ledger(StillClock()))


def _fauxqs_queue(request: pytest.FixtureRequest) -> TaskQueue:
    if request.node.originalname in FAUXQS_FAULTS:
        request.node.add_marker(pytest.mark.xfail(strict=True, reason=FAUXQS_FAULTS[request.node.originalname]))
    lab: AwsLab = request.getfixturevalue("fauxqs")
    return lab.queue(SystemClock())


def _versioned_bucket(request: pytest.FixtureRequest) -> ResultStore:
    return _lab(request).store(SystemClock())


def _plain_bucket(request: pytest.FixtureRequest) -> ResultStore:
    return _lab(request).store(SystemClock(), versioned=False)


def _lab(request: pytest.FixtureRequest) -> AwsLab:
    lab: AwsLab = request.getfixturevalue("aws")
    return lab


QUEUES: dict[str, Callable[[pytest.FixtureRequest], TaskQueue]] = {"sqs": _sqs_queue, "sqs-fauxqs": _fauxqs_queue}
LEDGERS: dict[str, Callable[[pytest.FixtureRequest], Ledger]] = {
    "dynamodb": _dynamo_ledger,
    "dynamodb-dynalite": _dynalite_ledger,
}
STORES: dict[str, Callable[[pytest.FixtureRequest], ResultStore]] = {
    "s3-versioned": _versioned_bucket,
    "s3-plain": _plain_bucket,
}
