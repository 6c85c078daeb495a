"""All that a stage may have left behind, in the order in which it is removed."""

from collections.abc import Iterator
from contextlib import suppress

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.leftovers.disks import find_snapshots, find_volumes, remove_snapshot, remove_volume
from cloudkon.aws.leftovers.functions import find_functions, remove_function
from cloudkon.aws.leftovers.gone import is_gone
from cloudkon.aws.leftovers.instances import find_instances, remove_instance
from cloudkon.aws.leftovers.objects import find_artifacts, find_uploads, remove_artifacts, remove_upload
from cloudkon.aws.leftovers.roles import find_roles, remove_role
from cloudkon.aws.leftovers.search import Search
from cloudkon.aws.leftovers.triggers import (
    find_event_sources,
    find_notifications,
    remove_event_source,
    remove_notification,
)
from cloudkon.aws.leftovers.watch import (
    find_alarms,
    find_dashboard,
    find_log_groups,
    find_parameter,
    remove_alarm,
    remove_dashboard,
    remove_log_group,
    remove_parameter,
)
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.stage.leftovers import Kind, Leftover, Unsearched, searched

_ALWAYS = (
    Search(Kind.INSTANCE, "instances", find_instances, remove_instance),
    Search(Kind.VOLUME, "volumes", find_volumes, remove_volume),
    Search(Kind.SNAPSHOT, "snapshots", find_snapshots, remove_snapshot),
    Search(Kind.ARTIFACTS, "artifacts", find_artifacts, remove_artifacts),
    Search(Kind.UPLOAD, "unfinished uploads", find_uploads, remove_upload),
    Search(Kind.EVENT_SOURCE, "event sources", find_event_sources, remove_event_source),
    Search(Kind.NOTIFICATION, "notifications", find_notifications, remove_notification),
)
_ONCE_GONE = (
    Search(Kind.FUNCTION, "functions", find_functions, remove_function),
    Search(Kind.ROLE, "roles", find_roles, remove_role),
    Search(Kind.LOG_GROUP, "log groups", find_log_groups, remove_log_group),
    Search(Kind.PARAMETER, "the image's parameter", find_parameter, remove_parameter),
    Search(Kind.ALARM, "alarms", find_alarms, remove_alarm),
    Search(Kind.DASHBOARD, "the dashboard", find_dashboard, remove_dashboard),
)
_REMOVALS = {search.kind: search.remove for search in (*_ALWAYS, *_ONCE_GONE)}


def find(subject: Subject) -> Iterator[Leftover | Unsearched]:
    """Everything that is left over; a search that fails keeps no other from its work. Changes nothing."""
    for search in _ALWAYS:
        yield from searched(search.what, lambda search=search: search.find(subject))  # type: ignore[misc]
    try:
        gone = is_gone(subject)
    except CloudKonError as error:
        yield Unsearched(", ".join(search.what for search in _ONCE_GONE), str(error))
        return
    for search in _ONCE_GONE if gone else ():
        yield from searched(search.what, lambda search=search: search.find(subject))  # type: ignore[misc]


def remove(subject: Subject, leftover: Leftover) -> None:
    """Remove one for good, fine if it is gone already; raise CloudKonError if it stays."""
    with suppress(NotFoundError):
        _REMOVALS[leftover.kind](subject, leftover)
