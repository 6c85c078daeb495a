r"""What becomes of a supervised process that has ended, decided purely.

WAITING --started--> RUNNING --ended--> OVER      as done, or while draining
   ^                         \--ended--> WAITING  in any other way, until it is due again
"""

import signal
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from cloudkon.backoff import Backoff
from ec2_worker.lifecycle.exits import Ending, Exit


class PlaceState(StrEnum):
    WAITING = "waiting"  # the supervisor moves it on, once it is due
    RUNNING = "running"  # its process moves it on, by ending
    OVER = "over"  # final


@dataclass(slots=True)
class Place:
    """One of the supervisor's processes, through all its restarts."""

    state: PlaceState = PlaceState.WAITING
    due_s: float = 0.0
    """When its next process may start, by the supervisor's monotonic clock; the first at once."""
    started_s: float = 0.0
    failures: int = 0
    """Deaths in a row, none of them after a healthy while."""
    last: Ending | None = None


@dataclass(slots=True)
class Restarts:
    """The places of one supervisor, and what they come to."""

    count: int
    backoff: Backoff = field(default_factory=lambda: Backoff(base_s=1.0, cap_s=60.0))
    healthy_s: float = 60.0
    """A process that lived for so long begins the backoff anew."""
    draining: bool = False
    places: list[Place] = field(init=False)

    def __post_init__(self) -> None:
        self.places = [Place(due_s=float("-inf")) for _ in range(self.count)]

    def due(self, now_s: float) -> list[int]:
        """Which places may start a process now."""
        return [number for number, place in enumerate(self.places) if _waits(place) and place.due_s <= now_s]

    @property
    def next_due_s(self) -> float | None:
        """When the next place may start a process, None if no place waits for that."""
        return min((place.due_s for place in self.places if _waits(place)), default=None)

    def started(self, number: int, now_s: float) -> None:
        place = self.places[number]
        place.state, place.started_s = PlaceState.RUNNING, now_s

    def ended(self, number: int, ending: Ending, now_s: float) -> float | None:
        """Take note of an end; return after how long another process starts in its place, None for never [s]."""
        place = self.places[number]
        place.last = ending
        after_s = None if self.draining else self._restarts_after_s(place, ending, now_s)
        if after_s is None:
            place.state = PlaceState.OVER
        else:
            place.state, place.due_s = PlaceState.WAITING, now_s + after_s
        return after_s

    def _restarts_after_s(self, place: Place, ending: Ending, now_s: float) -> float | None:
        match ending.exit:
            case Exit.DONE | Exit.REFUSED:
                return None
            case Exit.REPLACE:
                return 0.0
            case Exit.FAILED | Exit.SICK | None:
                healthy = now_s - place.started_s >= self.healthy_s
                place.failures = 1 if healthy else place.failures + 1
                return self.backoff.delay_s(place.failures)
            case other:
                assert_never(other)

    def drain(self) -> None:
        """Start nothing more."""
        self.draining = True
        for place in self.places:
            if _waits(place):
                place.state, place.last = PlaceState.OVER, None

    @property
    def over(self) -> bool:
        return all(place.state is PlaceState.OVER for place in self.places)

    @property
    def hopeless(self) -> Exit | None:
        """The code to end with, if restarts make no sense here.

        What one process refuses, all will; and when the last process of every place was sick, the machine is.
        """
        lasts = {place.last.exit if place.last else None for place in self.places}
        if Exit.REFUSED in lasts:
            return Exit.REFUSED
        return Exit.SICK if lasts == {Exit.SICK} else None

    @property
    def code(self) -> int:
        """What the supervisor ends with once all is over."""
        return Exit.DONE if all(_ended_well(place.last) for place in self.places) else Exit.FAILED


def _waits(place: Place) -> bool:
    return place.state is PlaceState.WAITING


def _ended_well(ending: Ending | None) -> bool:
    # A process that SIGTERM finds before it listens for it holds nothing.
    return ending is None or ending.exit is Exit.DONE or ending.code == -signal.SIGTERM
