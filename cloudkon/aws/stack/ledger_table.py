"""Settings of the ledger's table that the stack alone does not see to.

CloudFormation, asked for a stack as it stands, changes nothing: what somebody has switched off by hand stays off, and
so does what an emulator has passed over. Protection from deletion is not in the template, for a stack that could not
be created is deleted again, and would stick to a table that is protected.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html
"""

from typing import TYPE_CHECKING

from cloudkon.aws.errors import translated
from cloudkon.clock import Clock, poll
from cloudkon.errors import NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EXPIRES = "expires_at"
_POLL_S = 1.0
_CHANGED_WITHIN_S = 120.0


def settle(client: "DynamoDBClient", table: str, clock: Clock) -> None:
    """Let the table forget what has expired, be put back to an earlier moment, and not be deleted by mistake."""
    with translated(f"change the table {table}"):
        ttl = client.describe_time_to_live(TableName=table).get("TimeToLiveDescription", {})
        if ttl.get("TimeToLiveStatus", "DISABLED") == "DISABLED":
            client.update_time_to_live(
                TableName=table, TimeToLiveSpecification={"AttributeName": EXPIRES, "Enabled": True}
            )
        backups = client.describe_continuous_backups(TableName=table).get("ContinuousBackupsDescription", {})
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        if recovery != "ENABLED":
            client.update_continuous_backups(
                TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
    protect(client, table, clock, on=True)


def protect(client: "DynamoDBClient", table: str, clock: Clock, *, on: bool) -> None:
    """Fine if it is so already, and if there is no such table."""
    try:
        with translated(f"{'protect' if on else 'expose'} the table {table}"):
            if client.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled", False) == on:
                return
            client.update_table(TableName=table, DeletionProtectionEnabled=on)
            for _ in poll(clock, _POLL_S, _CHANGED_WITHIN_S):
                if client.describe_table(TableName=table)["Table"].get("TableStatus", "ACTIVE") == "ACTIVE":
                    return
    except NotFoundError:
        return
