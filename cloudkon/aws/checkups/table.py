"""The ledger's table: that it forgets what has expired, and can be put back to an earlier moment."""

from collections.abc import Iterator

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.stage.checkup import CheckResult, ok, problem

_EXPIRES = "expires_at"


def check_table(subject: Subject) -> Iterator[CheckResult]:
    client, table = subject.session.dynamodb(), subject.names.ledger_table
    up = f"cloudkon-cli stack up --stage {subject.names.stage}"
    with translated(f"describe the table {table}"):
        found = client.describe_table(TableName=table)["Table"]
    status = found.get("TableStatus", "ACTIVE")
    if status != "ACTIVE":
        yield problem("ledger", f"The table {table} is {status}.", "Wait until it is ACTIVE.")
    else:
        yield ok("ledger", f"{table} is there")
    if found.get("DeletionProtectionEnabled"):
        yield ok("protection", "the ledger can be deleted by stack down and undeploy only")
    else:
        yield problem("protection", f"Anybody who may can delete {table} by mistake.", up)
    with translated(f"ask when rows of {table} expire"):
        ttl = client.describe_time_to_live(TableName=table).get("TimeToLiveDescription", {})
    if ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") and ttl.get("AttributeName") == _EXPIRES:
        yield ok("expiry", f"rows go {subject.settings.retention_days} days after they were written")
    else:
        yield problem("expiry", f"Rows of {table} never expire: it grows, and so does its bill.", up)
    with translated(f"ask for the backups of {table}"):
        backups = client.describe_continuous_backups(TableName=table).get("ContinuousBackupsDescription", {})
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if recovery == "ENABLED":
        yield ok("recovery", "to any moment of the last 35 days")
    else:
        yield problem("recovery", f"{table} can't be put back to an earlier moment.", up)
