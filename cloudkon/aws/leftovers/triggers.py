"""What leads to a function of the stage, one of its ends gone: event sources, and the bucket's notification."""

from collections.abc import Iterator, Mapping
from typing import Any

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.leftovers.functions import name_of
from cloudkon.aws.stack.functions import function_exists
from cloudkon.clock import epoch_ms
from cloudkon.errors import NotFoundError
from cloudkon.stage.leftovers import FREE_USD, Kind, Leftover, is_function


def find_event_sources(subject: Subject) -> Iterator[Leftover]:
    """From a queue of the stage to a function of it, one of which is gone."""
    names, client = subject.names, subject.session.functions()
    queues = {
        names.arn("sqs", name): name
        for name in (names.task_queue, names.range_queue, names.process_queue, names.dead_letter_queue)
    }
    with translated("list the event sources of the functions"):
        pages = client.get_paginator("list_event_source_mappings").paginate()
        found = [each for page in pages for each in page["EventSourceMappings"]]
    for each in found:
        function, queue = name_of(each.get("FunctionArn", "")), queues.get(each.get("EventSourceArn", ""))
        if queue is None or each.get("State") == "Deleting" or not is_function(names.stage, function):
            continue
        if gone := [f"{name} is gone" for name, there in _ends(subject, queue, function).items() if not there]:
            why = f"from {queue} to {function}: {', '.join(gone)}"
            yield Leftover(Kind.EVENT_SOURCE, each["UUID"], why, epoch_ms(each["LastModified"]), FREE_USD)


def remove_event_source(subject: Subject, leftover: Leftover) -> None:
    with translated(f"delete the event source {leftover.id}"):
        subject.session.functions().delete_event_source_mapping(UUID=leftover.id)


def _ends(subject: Subject, queue: str, function: str) -> Mapping[str, bool]:
    return {queue: _queue_exists(subject, queue), function: function_exists(subject.session.functions(), function)}


def _queue_exists(subject: Subject, queue: str) -> bool:
    try:
        with translated(f"look for the queue {queue}"):
            subject.session.sqs().get_queue_url(QueueName=queue)
    except NotFoundError:
        return False
    return True


def find_notifications(subject: Subject) -> Iterator[Leftover]:
    """Of the workloads bucket, to a function of the stage that is gone."""
    bucket, prefix = subject.names.workloads_bucket, subject.names.arn("lambda", "function:")
    try:
        with translated(f"read the notifications of {bucket}"):
            answer = subject.session.s3().get_bucket_notification_configuration(Bucket=bucket)
    except NotFoundError:
        return
    client = subject.session.functions()
    for each in answer.get("LambdaFunctionConfigurations", []):
        arn = each["LambdaFunctionArn"]
        function = name_of(arn)
        ours = arn.startswith(prefix) and is_function(subject.names.stage, function)
        if ours and not function_exists(client, function):
            why = f"{bucket} wakes {function}, which is gone"
            yield Leftover(Kind.NOTIFICATION, each["Id"], why, usd_a_month=FREE_USD)


def remove_notification(subject: Subject, leftover: Leftover) -> None:
    """Put back all others as they are: S3 knows no way to delete one."""
    client, bucket = subject.session.s3(), subject.names.workloads_bucket
    with translated(f"remove the notification {leftover.id} of {bucket}"):
        answer: Any = client.get_bucket_notification_configuration(Bucket=bucket)
        answer.pop("ResponseMetadata", None)
        kept = [each for each in answer.get("LambdaFunctionConfigurations", []) if each["Id"] != leftover.id]
        client.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration=answer | {"LambdaFunctionConfigurations": kept},
            SkipDestinationValidation=True,  # others may lead to nothing too
        )
