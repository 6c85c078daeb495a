"""The Lambda as AWS has it, whoever deployed it: its functions, and what wakes them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudkon.aws.errors import translated
from cloudkon.clock import Clock, poll
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.stage.names import Names

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

_POLL_S = 2.0
_SETTLED_WITHIN_S = 180.0
_CHANGING = frozenset({"Creating", "Enabling", "Disabling", "Updating", "Deleting"})


@dataclass(frozen=True, slots=True)
class EventSource:
    """What takes the messages of a queue to a function."""

    uuid: str
    queue_arn: str
    function_arn: str
    state: str


def function_exists(client: "LambdaClient", name: str) -> bool:
    """Whether chalice has deployed it."""
    try:
        with translated(f"look for the function {name}"):
            client.get_function_configuration(FunctionName=name)
    except NotFoundError:
        return False
    return True


def range_source(client: "LambdaClient", names: Names) -> EventSource | None:
    """What wakes the function of ranges; None if nothing does. There can be only one."""
    queue_arn, function = names.arn("sqs", names.range_queue), names.functions[1]
    with translated(f"list the event sources of {names.range_queue}"):
        pages = client.get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue_arn)
        found = [each for page in pages for each in page["EventSourceMappings"]]
    for each in found:
        arn = each.get("FunctionArn", "")
        if arn.partition(":function:")[2].partition(":")[0] == function:
            return EventSource(each["UUID"], queue_arn, arn, each.get("State", "Enabled"))
    return None


def settled_range_source(client: "LambdaClient", names: Names, clock: Clock) -> EventSource | None:
    """The same, once nobody is changing it: AWS refuses changes to one that is being made, changed or deleted."""
    for _ in poll(clock, _POLL_S, _SETTLED_WITHIN_S):
        found = range_source(client, names)
        if found is None or found.state not in _CHANGING:
            return found
    raise CloudKonError(
        f"The event source of {names.range_queue} is still being changed after {_SETTLED_WITHIN_S:.0f} s. "
        "Try again in some minutes."
    )


def keep_failed_events(client: "LambdaClient", names: Names) -> None:
    """Let what ingest has failed at three times go to the dead-letter queue, instead of nowhere.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    destination = names.arn("sqs", names.dead_letter_queue)
    with translated(f"keep the events that {names.functions[0]} fails at"):
        client.put_function_event_invoke_config(
            FunctionName=names.functions[0], DestinationConfig={"OnFailure": {"Destination": destination}}
        )


def is_woken(s3: "S3Client", names: Names) -> bool:
    """Whether what is dropped into the workloads bucket wakes the function that is for it."""
    bucket, wanted = names.workloads_bucket, names.functions[0]
    with translated(f"read the notifications of {bucket}"):
        answer = s3.get_bucket_notification_configuration(Bucket=bucket)
    arns = [each["LambdaFunctionArn"] for each in answer.get("LambdaFunctionConfigurations", [])]
    return any(arn.partition(":function:")[2].partition(":")[0] == wanted for arn in arns)
