"""The instances that workers run on, as AWS sees them."""

from dataclasses import dataclass

ENDED = frozenset({"shutting-down", "terminated"})
"""The states of an instance that costs nothing any more, and is listed for an hour yet."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One EC2 instance of a stage."""

    id: str
    type: str
    zone: str
    state: str
    """EC2's word (pending, running, shutting-down ...), or the group's where that says more."""
    spot: bool
    launched_ms: int
    image: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many instances a group has at least, is to have now, and has at most."""

    least: int
    wanted: int
    most: int
