"""What each worker reports about itself every few seconds, whichever jobs it works for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MEMORY_S = 300
"""A worker that has not reported for so long is forgotten."""


class WorkerState(StrEnum):
    WORKING = "working"  # the worker moves it on, with the last bundle it holds
    IDLE = "idle"  # the worker moves it on, with the next bundle it receives
    SICK = "sick"  # the worker moves it on, when what is wrong with it is over; it receives nothing until then
    DRAINING = "draining"  # the worker moves it on, with the last bundle it holds; it receives nothing more
    STOPPED = "stopped"  # final


@dataclass(frozen=True, slots=True)
class Instance:
    """The EC2 instance that a worker runs on."""

    id: str
    type: str
    zone: str
    market: str = ""
    """How it is paid for: on-demand or spot, as EC2 names them; empty where EC2 did not say."""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker's latest report about itself; it replaces the earlier ones."""

    worker: str
    state: WorkerState
    slots: int
    busy: int
    """How many slots run a task."""
    bundles: int
    """How many bundles have ended on this worker since it started; tasks counts in the same way."""
    tasks: int
    started_ms: int
    seen_ms: int
    reason: str = ""
    """Why it is sick, draining or stopped."""
    instance: Instance | None = None
    failing: Mapping[str, int] = field(default_factory=dict)
    """For each of the latest jobs, how many of its bundles in a row ended here without one task that succeeded."""
    throttled: Mapping[str, int] = field(default_factory=dict)
    """How many requests AWS throttled in the last minute, by operation, such as sqs.ReceiveMessage."""
