"""AWS as moto plays it, on loopback: one server a test run, and adapters over fresh queues, tables and buckets.

Good for contracts, not for races: moto takes no locks, but for the one that we hold over its tables.
"""

import itertools
import os
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader, Loader
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler
from moto.server import ThreadedMotoServer

import cloudkon.aws.session
from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.queue import SqsQueue
from cloudkon.aws.session import Session
from cloudkon.aws.store import S3Store
from cloudkon.clock import Clock
from tests.support.emulators import moto_partiql
from tests.support.emulators.strict_moto.owners import mind_owners
from tests.support.waiting import eventually

GUARD_MS = 2_000
RETENTION_S = 30 * 86_400

_READER = JSONFileLoader()


class _ReadOnce(JSONFileLoader):
    """Every session reads the models of its services anew, EC2's in a third of a second; here each command is one."""

    def load_file(self, file_path: str) -> Any:
        return _read(file_path)


@cache
def _read(path: str) -> Any:
    return _READER.load_file(path)


Loader.FILE_LOADER_CLASS = _ReadOnce
cloudkon.aws.session.VALIDATES = True


class AwsLab:
    """Makes adapters over resources of their own; AWS's environment stays as it was."""

    def __init__(self, endpoint: str) -> None:
        self.environment = credentials() | {"AWS_ENDPOINT_URL": endpoint}
        self._numbers = itertools.count(1)
        with pytest.MonkeyPatch.context() as patch:
            enter(patch, self.environment)
            self.session = Session()
            self.sqs = self.session.sqs()
            self.dynamodb = self.session.dynamodb()
            self.s3 = self.session.s3()
            self.autoscaling = self.session.autoscaling()
            self.ec2 = self.session.ec2()

    def queue(self, clock: Clock, name: str | None = None) -> SqsQueue:
        url = self.sqs.create_queue(
            QueueName=name or self._name("queue"), Attributes={"MaximumMessageSize": "1048576"}
        )["QueueUrl"]
        return SqsQueue(self.sqs, url, clock)

    def ledger(
        self, clock: Clock, *, guard_ms: int = GUARD_MS, retention_s: int = RETENTION_S, name: str | None = None
    ) -> DynamoLedger:
        table = name or self._name("table")
        self.dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

        def is_there() -> bool:
            """The table can be written to"""
            return self.dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"

        assert eventually(is_there)
        return DynamoLedger(self.dynamodb, table, guard_ms=guard_ms, retention_s=retention_s, clock=clock)

    def store(self, clock: Clock, *, versioned: bool = True, name: str | None = None) -> S3Store:
        bucket = name or self._name("bucket")
        self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        if versioned:
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return S3Store(self.s3, bucket, clock)

    def _name(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers)}"


def credentials() -> dict[str, str]:
    """Made up, and no other place to look for them."""
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def enter(patch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    """Make these the only AWS variables of the process until the patch is undone."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    for name, value in environment.items():
        patch.setenv(name, value)


@pytest.fixture(scope="session")
def aws() -> Iterator[AwsLab]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    one_at_a_time, call_action = threading.Lock(), DynamoHandler.call_action

    def whole(handler: DynamoHandler) -> Any:
        """A row is read as it was before a write or after it, as DynamoDB has it; moto changes it while others read."""
        with one_at_a_time:
            return call_action(handler)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoHandler, "call_action", whole)
        patch.setattr(DynamoDBBackend, "batch_execute_statement", moto_partiql.execute)
        mind_owners(patch)
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # thousands, when EC2 is first asked
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield AwsLab(f"http://{host}:{port}")
        finally:
            server.stop()
