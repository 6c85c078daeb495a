"""The AWS adapters, for the contract of each port; see adapters.py."""

from collections.abc import Callable

import pytest

from cloudkon.clock import SystemClock
from cloudkon.ports import Ledger, ResultStore, TaskQueue
from tests.support.emulators.moto_aws import AwsLab
from tests.support.still_clock import StillClock


def _sqs_queue(request: pytest.FixtureRequest) -> TaskQueue:
    return _lab(request).queue(SystemClock())


def _dynamo_ledger(request: pytest.FixtureRequest) -> Ledger:
    return _lab(request).ledger(StillClock())


def _versioned_bucket(request: pytest.FixtureRequest) -> ResultStore:
    return _lab(request).store(SystemClock())


def _plain_bucket(request: pytest.FixtureRequest) -> ResultStore:
    return _lab(request).store(SystemClock(), versioned=False)


def _lab(request: pytest.FixtureRequest) -> AwsLab:
    lab: AwsLab = request.getfixturevalue("aws")
    return lab


QUEUES: dict[str, Callable[[pytest.FixtureRequest], TaskQueue]] = {"sqs": _sqs_queue}
LEDGERS: dict[str, Callable[[pytest.FixtureRequest], Ledger]] = {"dynamodb": _dynamo_ledger}
STORES: dict[str, Callable[[pytest.FixtureRequest], ResultStore]] = {
    "s3-versioned": _versioned_bucket,
    "s3-plain": _plain_bucket,
}
