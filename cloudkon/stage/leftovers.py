"""Decides what is left over of a stage; aws/leftovers finds and removes it.

Left over is only what bears the stage's tag or one of its exact names, what nobody can be using, and what is not so
young that somebody may just be making it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cloudkon.errors import CloudKonError
from cloudkon.stage.machine import ENDED

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BUILD_MS = 2 * HOUR_MS
"""The image builder gives up sooner: it waits 35 minutes for the machine, and an hour for its image."""

# us-east-1, in USD a month for a GB; elsewhere somewhat more. https://aws.amazon.com/ebs/pricing/
_VOLUME_USD: Mapping[str, float] = {
    "gp3": 0.08,
    "gp2": 0.10,
    "io1": 0.125,
    "io2": 0.125,
    "st1": 0.045,
    "sc1": 0.015,
    "standard": 0.05,
}
_SNAPSHOT_USD = 0.05
# https://aws.amazon.com/s3/pricing/ and https://aws.amazon.com/cloudwatch/pricing/
_OBJECT_USD = 0.023
_LOG_USD = 0.03
ALARM_USD = 0.10
"""For each metric it looks at."""
DASHBOARD_USD = 3.0
FREE_USD = 0.0
_GB = 1e9

_HANDLER = r"[A-Za-z_][A-Za-z0-9_]*"
_STOPPED = frozenset({"stopping", "stopped"})


class Kind(StrEnum):
    """In the order in which they are removed: what uses others goes before them."""

    INSTANCE = "instance"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"
    ARTIFACTS = "artifacts"
    UPLOAD = "upload"
    EVENT_SOURCE = "event source"
    NOTIFICATION = "notification"
    FUNCTION = "function"
    ROLE = "role"
    LOG_GROUP = "log group"
    PARAMETER = "parameter"
    ALARM = "alarm"
    DASHBOARD = "dashboard"


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that nobody needs any more."""

    kind: Kind
    id: str
    why: str
    since_ms: int | None = None
    """When it was made, or stopped."""
    usd_a_month: float | None = None
    """The approximate cost, or the most that it can be; None where it is not known."""
    parts: tuple[str, ...] = ()
    """The names by which it is removed, where its id is not enough."""

    @property
    def key(self) -> tuple[Kind, str, tuple[str, ...]]:
        """Differs for every leftover."""
        return self.kind, self.id, self.parts


@dataclass(frozen=True, slots=True)
class Unsearched:
    """A kind of thing that could not be searched for, and why."""

    what: str
    reason: str


def searched(what: str, look: Callable[[], Iterable[Leftover]]) -> Iterator[Leftover | Unsearched]:
    """Run a search and yield what it finds; an error that it raises on purpose is yielded as Unsearched."""
    try:
        yield from look()
    except CloudKonError as error:
        yield Unsearched(what, str(error))


@dataclass(frozen=True, slots=True)
class SeenInstance:
    """An instance that bears the stage's tag."""

    state: str
    launched_ms: int
    stopped_ms: int | None = None
    builds: bool = False
    """Whether it was to become an image."""
    grouped: bool = False
    """Whether it is in an auto scaling group, whichever."""
    reports: bool = False
    """Whether a worker on it was heard of within the last hour."""


def why_instance(seen: SeenInstance, now_ms: int) -> str:
    """Why an instance is left over; empty if it is not."""
    if seen.state in ENDED:
        return ""
    if seen.builds:
        return _older("it was to become an image, and its build gave up", seen.launched_ms, now_ms, BUILD_MS)
    if seen.grouped:
        return ""
    if seen.state in _STOPPED:
        since_ms = seen.launched_ms if seen.stopped_ms is None else seen.stopped_ms
        return _older("it is stopped, and its disk is still paid for", since_ms, now_ms)
    if seen.reports:
        return ""
    return _older("it is in no group, and no worker on it was heard of for an hour", seen.launched_ms, now_ms)


def why_volume(state: str, created_ms: int, now_ms: int) -> str:
    """Why a volume is left over; empty if it is not."""
    return _older("it is attached to nothing", created_ms, now_ms) if state == "available" else ""


def why_snapshot(started_ms: int, now_ms: int, *, in_an_image: bool) -> str:
    """Why a snapshot that was made for an image is left over; empty if it is not."""
    return "" if in_an_image else _older("the image it was made for is gone", started_ms, now_ms, BUILD_MS)


def why_artifacts(written_ms: int, now_ms: int, *, named: bool) -> str:
    """Why what an image was to be made from is left over; empty if it is not."""
    return "" if named else _older("no image was made from it", written_ms, now_ms, DAY_MS)


def why_upload(begun_ms: int, now_ms: int) -> str:
    """Why an upload that was not finished is left over; empty if it may go on yet."""
    return _older("it was never finished", begun_ms, now_ms, DAY_MS)


def _older(why: str, since_ms: int, now_ms: int, age_ms: int = HOUR_MS) -> str:
    return why if now_ms - since_ms > age_ms else ""


def is_function(stage: str, name: str) -> bool:
    """Whether a function, or its role, is the stage's by name: cloudkon-<stage>-<handler>.

    A handler has no hyphen, so cloudkon-dev-2-ingest is of the stage dev-2 and not of dev.
    """
    return re.fullmatch(rf"cloudkon-{re.escape(stage)}-{_HANDLER}", name) is not None


def is_tracking_alarm(group: str, name: str) -> bool:
    """Whether an alarm was made by a group's target tracking."""
    return re.fullmatch(rf"TargetTracking-{re.escape(group)}-Alarm(High|Low)-[0-9a-f-]+", name) is not None


def volume_usd(kind: str, size_gib: int) -> float | None:
    """The price of a disk, without what is paid for more throughput than usual."""
    price = _VOLUME_USD.get(kind)
    return None if price is None else price * size_gib


def snapshot_usd(size_gib: int) -> float:
    """At most: only blocks that were written are paid for."""
    return _SNAPSHOT_USD * size_gib


def objects_usd(size_bytes: int) -> float:
    return _OBJECT_USD * size_bytes / _GB


def log_usd(size_bytes: int) -> float:
    return _LOG_USD * size_bytes / _GB
