"""Says in words which requests AWS throttled, from counts by operation, such as sqs.ReceiveMessage."""

from collections import Counter
from collections.abc import Mapping

_SERVICES = {"dynamodb": "DynamoDB", "s3": "S3", "sqs": "SQS"}


def by_service(throttled: Mapping[str, int]) -> str:
    """As in "DynamoDB 25, SQS 6", the most first."""
    counts: Counter[str] = Counter()
    for operation, count in throttled.items():
        counts[_named(operation)[0]] += count
    return ", ".join(f"{service} {count:,}" for service, count in counts.most_common())


def by_operation(throttled: Mapping[str, int]) -> str:
    """As in "DynamoDB UpdateItem 25, SQS ReceiveMessage 6", the most first."""
    counts = Counter(throttled).most_common()
    return ", ".join(f"{' '.join(_named(operation))} {count:,}" for operation, count in counts)


def _named(operation: str) -> tuple[str, str]:
    service, _, name = operation.partition(".")
    return _SERVICES.get(service, service), name
