"""Writes what this worker does into its row among the workers: every few seconds, and when its state changes."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, UnavailableError
from cloudkon.ledger.fleet import Instance, WorkerState, WorkerStatus
from cloudkon.ports import Fleet

log = logging.getLogger(__name__)

_SOON_S = 5.0
"""How soon a change between working and idle (which may come many times a second) is written, or that requests are
throttled; and when a row that could not be written is tried again."""
_MAX_REASON = 300
"""Characters; a row should fit one write unit, 1 KiB."""
_AT_ONCE = frozenset({WorkerState.SICK, WorkerState.DRAINING, WorkerState.STOPPED})


@dataclass(slots=True)
class FleetStatus:
    """Writes the worker's row. Called by one thread only."""

    fleet: Fleet
    clock: Clock
    worker: str
    slots: int
    every_s: float
    busy: Callable[[], int]
    counts: Callable[[], tuple[int, int]]
    """How many bundles and tasks have ended here."""
    instance: Callable[[], Instance | None]
    throttled: Callable[[], Mapping[str, int]] = dict
    """How many requests were throttled lately, by operation; asked at every report."""
    started_ms: int = field(init=False)
    _reported: tuple[WorkerState, str, bool] | None = None
    _tried_s: float = float("-inf")
    _silent_since_s: float | None = None
    _refused: bool = False

    def __post_init__(self) -> None:
        self.started_ms = self.clock.now_ms()

    @property
    def silent_s(self) -> float:
        """For how long the ledger has not answered; 0 if it answered the last call."""
        return 0.0 if self._silent_since_s is None else self.clock.monotonic_s() - self._silent_since_s

    def report(self, state: WorkerState, reason: str, failing: Mapping[str, int]) -> None:
        """Write the row if it is due."""
        throttled = self.throttled()
        if self._is_due(state, reason, throttled=bool(throttled)):
            self._write(state, reason, failing, throttled)

    def others(self) -> list[WorkerStatus]:
        """The other workers that run; none if the ledger does not answer."""
        try:
            fleet = self.fleet.fleet(self.clock.now_ms() - round(3_000 * self.every_s))
        except CloudKonError as error:
            log.warning("%s The other workers are not asked.", error)
            return []
        return [each for each in fleet if each.worker != self.worker and each.state is not WorkerState.STOPPED]

    def _is_due(self, state: WorkerState, reason: str, *, throttled: bool) -> bool:
        waited_s = self.clock.monotonic_s() - self._tried_s
        if self._reported == (state, reason, throttled):
            return waited_s >= self.every_s
        was_at_once = self._reported is not None and self._reported[0] in _AT_ONCE
        if self._silent_since_s is None and (state in _AT_ONCE or was_at_once):
            return True
        return waited_s >= min(_SOON_S, self.every_s)

    def _write(self, state: WorkerState, reason: str, failing: Mapping[str, int], throttled: Mapping[str, int]) -> None:
        self._tried_s = asked_s = self.clock.monotonic_s()
        bundles, tasks = self.counts()
        status = WorkerStatus(
            worker=self.worker,
            state=state,
            slots=self.slots,
            busy=0 if state is WorkerState.STOPPED else self.busy(),
            bundles=bundles,
            tasks=tasks,
            started_ms=self.started_ms,
            seen_ms=self.clock.now_ms(),
            reason=reason[:_MAX_REASON],
            instance=self.instance(),
            failing=failing,
            throttled=throttled,
        )
        try:
            self.fleet.announce(status)
        except UnavailableError:
            self._reported = None
            if self._silent_since_s is None:
                self._silent_since_s = asked_s
            return
        except CloudKonError as error:  # it answers; a worker can do without its row
            if not self._refused:
                log.warning("%s This worker won't be listed.", error)
            self._refused = True
        self._reported, self._silent_since_s = (state, reason, bool(throttled)), None
