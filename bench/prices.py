"""What counted calls cost by the public prices: us-east-1, on demand, without any free tier.

Not in here: the workers' machines, storage, logs, and what the command line asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# https://aws.amazon.com/sqs/pricing/ (standard queues; every 64 KiB of a request counts as one)
SQS_REQUEST_USD = 0.40 / 1e6
# https://aws.amazon.com/dynamodb/pricing/on-demand/
_WRITE_UNIT_USD, _READ_UNIT_USD = 0.625 / 1e6, 0.125 / 1e6
# https://aws.amazon.com/s3/pricing/ (S3 Standard)
_S3_PUT_USD, _S3_GET_USD = 0.005 / 1e3, 0.0004 / 1e3
# https://aws.amazon.com/lambda/pricing/ (x86)
_LAMBDA_REQUEST_USD, _LAMBDA_GB_SECOND_USD = 0.20 / 1e6, 0.0000166667
_LAMBDA_GB = 0.5  # .chalice/config.json
_WRITES = ("dynamodb.PutItem", "dynamodb.UpdateItem")


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars by service."""

    sqs: float
    dynamodb: float
    s3: float
    function: float

    @property
    def total(self) -> float:
        return self.sqs + self.dynamodb + self.s3 + self.function


def bill(calls: Mapping[str, int], *, bundles: int, row_units: float, lambda_s: float) -> Bill:
    """Price the calls of a job.

    row_units: write units of a finished bundle's row, on average. A claim writes it while it is small: one unit.
    Every batch of messages is taken to stay below 64 KiB, as those of short tasks do.
    """
    writes = sum(calls.get(name, 0) for name in _WRITES)
    later_updates = max(0, calls.get("dynamodb.UpdateItem", 0) - bundles)
    write_units = writes + later_updates * (row_units - 1)
    reads = sum(count for name, count in calls.items() if name.startswith("dynamodb.") and name not in _WRITES)
    puts = calls.get("s3.PutObject", 0)
    gets = sum(count for name, count in calls.items() if name.startswith("s3.")) - puts
    return Bill(
        sqs=sum(count for name, count in calls.items() if name.startswith("sqs.")) * SQS_REQUEST_USD,
        dynamodb=write_units * _WRITE_UNIT_USD + reads * _READ_UNIT_USD,
        s3=puts * _S3_PUT_USD + gets * _S3_GET_USD,
        function=_LAMBDA_REQUEST_USD + lambda_s * _LAMBDA_GB * _LAMBDA_GB_SECOND_USD,
    )
