"""Takes the Lambda of a stage away, whoever deployed it, from wherever, and however far that had come."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.leftovers.functions import find_functions, name_of, remove_function
from cloudkon.aws.leftovers.roles import find_roles, remove_role
from cloudkon.aws.leftovers.triggers import remove_event_source, remove_notification
from cloudkon.aws.stack.functions import range_source, settled_range_source
from cloudkon.clock import poll
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.stage.leftovers import FREE_USD, Kind, Leftover

_POLL_S = 2.0
_GONE_WITHIN_S = 180.0


def remove_dispatcher(subject: Subject, say: Callable[[str], None]) -> None:
    """Remove what wakes the functions, then the functions, then their roles; fine if none of it is there.

    A role that a function of another region works with stays: Chalice's roles are of no region.
    """
    _remove_range_source(subject, say)
    for found, remove in (
        (_notifications, remove_notification),
        (find_functions, remove_function),
        (find_roles, remove_role),
    ):
        for each in list(found(subject)):
            with suppress(NotFoundError):
                remove(subject, each)
            say(f"{each.kind} {each.id} is deleted")


def _remove_range_source(subject: Subject, say: Callable[[str], None]) -> None:
    """And wait until it is gone: a queue of the same name could not be given to a function before."""
    client, names = subject.session.functions(), subject.names
    source = settled_range_source(client, names, subject.clock)
    if source is None:
        return
    with suppress(NotFoundError):
        remove_event_source(subject, Leftover(Kind.EVENT_SOURCE, source.uuid, "", None, FREE_USD))
    for _ in poll(subject.clock, _POLL_S, _GONE_WITHIN_S):
        if range_source(client, names) is None:
            say(f"{Kind.EVENT_SOURCE} {source.uuid} is deleted")
            return
    raise CloudKonError(f"The event source {source.uuid} is still being deleted. Try again in some minutes.")


def _notifications(subject: Subject) -> Iterator[Leftover]:
    """Of the workloads bucket, to the function of the stage."""
    bucket, wanted = subject.names.workloads_bucket, subject.names.functions[0]
    try:
        with translated(f"read the notifications of {bucket}"):
            answer = subject.session.s3().get_bucket_notification_configuration(Bucket=bucket)
    except NotFoundError:
        return
    for each in answer.get("LambdaFunctionConfigurations", []):
        if name_of(each["LambdaFunctionArn"]) == wanted:
            yield Leftover(Kind.NOTIFICATION, each["Id"], "", None, FREE_USD)
