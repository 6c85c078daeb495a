"""What counted calls of AWS's services cost, and the time of the dispatcher's function."""

from collections.abc import Iterator, Mapping

from cloudkon.costs.bill import Charge, charge
from cloudkon.costs.prices import Prices

_WRITES = ("dynamodb.PutItem", "dynamodb.UpdateItem", "dynamodb.DeleteItem")
_BATCH = "dynamodb.BatchExecuteStatement"
BATCH_WRITES = f"{_BATCH}.statements"
"""Counted beside the calls: a batch is one call, and each of its writes is billed as a write."""
_S3_PUTS = ("s3.Put", "s3.Create", "s3.Upload", "s3.Complete", "s3.Copy", "s3.List")
_S3_FREE = ("s3.Delete", "s3.Abort")
_LAMBDA_GB = 0.5  # .chalice/config.json


def calls_only(calls: Mapping[str, int]) -> dict[str, int]:
    """The calls without what is counted beside them."""
    return {name: count for name, count in calls.items() if name != BATCH_WRITES}


def call_charges(calls: Mapping[str, int], prices: Prices, *, bundles: int, row_units: float = 1.0) -> Iterator[Charge]:
    """Price the calls of a job.

    row_units: write units of a finished bundle's row, on average. A claim writes it while it is small: one unit.
    Every batch of messages is taken to stay below 64 KiB, as those of short tasks do. A read is taken as one unit.
    """
    requests = _sum(calls, "sqs.")
    yield charge("SQS", requests, "requests", prices.of("sqs.million_requests", 1e6))
    writes = write_units(calls, bundles=bundles, row_units=row_units)
    yield charge("DynamoDB", writes, "write units", prices.of("dynamodb.million_write_units", 1e6))
    reads = _sum(calls, "dynamodb.") - _sum(calls, (*_WRITES, _BATCH))
    yield charge("DynamoDB", reads, "read units", prices.of("dynamodb.million_read_units", 1e6))
    puts = _sum(calls, _S3_PUTS)
    yield charge("S3", puts, "puts", prices.of("s3.thousand_puts", 1e3))
    gets = _sum(calls, "s3.") - puts - _sum(calls, _S3_FREE)
    yield charge("S3", gets, "gets", prices.of("s3.thousand_gets", 1e3))


def write_units(calls: Mapping[str, int], *, bundles: int, row_units: float) -> float:
    """The write units of the calls: each write once, and each later one of a bundle's row by the row's size."""
    updates = calls.get("dynamodb.UpdateItem", 0) + calls.get(BATCH_WRITES, 0)
    later_updates = max(0, updates - bundles)
    return sum(calls.get(name, 0) for name in (*_WRITES, BATCH_WRITES)) + later_updates * (row_units - 1)


def dispatch_charges(invocations: int, seconds: float, prices: Prices) -> Iterator[Charge]:
    """Price the dispatcher's Lambda function."""
    yield charge("Lambda", invocations, "requests", prices.of("lambda.million_requests", 1e6))
    yield charge("Lambda", seconds * _LAMBDA_GB, "GB-seconds", prices.of("lambda.gb_second"))


def _sum(calls: Mapping[str, int], beginnings: str | tuple[str, ...]) -> int:
    return sum(count for name, count in calls.items() if name.startswith(beginnings))
