"""Whether a stage is gone, so that nothing of it can be in use."""

from collections.abc import Callable

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.queue import queue_url
from cloudkon.aws.stack.stack import Stack
from cloudkon.errors import NotFoundError


def is_gone(subject: Subject) -> bool:
    """Whether neither the stack is there nor what it works with: others may have made these without a stack.

    Raises what translated raises where that can't be told.
    """
    names, session = subject.names, subject.session
    if Stack(session.cloudformation(), names.stack, subject.clock).status() is not None:
        return False
    data: tuple[Callable[[], object], ...] = (
        lambda: session.s3().head_bucket(Bucket=names.workloads_bucket),
        lambda: session.s3().head_bucket(Bucket=names.results_bucket),
        lambda: session.dynamodb().describe_table(TableName=names.ledger_table),
        lambda: queue_url(session.sqs(), names.task_queue),
    )
    return not any(map(_is_there, data))


def _is_there(ask: Callable[[], object]) -> bool:
    try:
        with translated("look whether the stage is gone"):
            ask()
    except NotFoundError:
        return False
    return True
