"""The ledger in DynamoDB: one table, on demand, its verbs in leases, jobs, control, history and fleet."""

from typing import TYPE_CHECKING

from cloudkon.aws.ledger.control import DynamoControl
from cloudkon.aws.ledger.fleet import DynamoFleet
from cloudkon.aws.ledger.history import DynamoHistory
from cloudkon.aws.ledger.jobs import DynamoJobs
from cloudkon.aws.ledger.lease_batches import DynamoLeaseBatches
from cloudkon.aws.ledger.table import Table
from cloudkon.aws.ledger.task_times import DynamoTaskTimes
from cloudkon.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoLedger(DynamoLeaseBatches, DynamoJobs, DynamoControl, DynamoHistory, DynamoFleet, DynamoTaskTimes):
    """Implements ports.Ledger; safe to share between threads, as its client is."""

    def __init__(self, client: "DynamoDBClient", table: str, *, guard_ms: int, retention_s: int, clock: Clock) -> None:
        self._table = Table(client, table)
        self._guard_ms = guard_ms
        self._retention_s = retention_s
        self._clock = clock
