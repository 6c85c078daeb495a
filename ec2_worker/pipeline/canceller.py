"""Ends what a worker holds of cancelled jobs: what runs is finished and recorded, what waits is not begun."""

import logging
import threading
from dataclasses import dataclass, field

from cloudkon.errors import CloudKonError, UnavailableError
from cloudkon.ledger.results import TaskResult
from ec2_worker.pipeline.admission import Gate
from ec2_worker.pipeline.heartbeat import Keeper
from ec2_worker.pipeline.in_flight import Held, Holdings, Phase

log = logging.getLogger(__name__)

_LOOK_S = 5.0
"""How late a held bundle learns that its job was cancelled: seldom enough to cost nothing with tasks of hours."""


@dataclass(slots=True)
class Canceller:
    """Gives bundles back once the tasks that were begun have ended; the gate then deletes their messages."""

    gate: Gate
    holdings: Holdings
    keeper: Keeper
    stopping: threading.Event = field(default_factory=threading.Event)
    stopped: dict[Held, frozenset[int]] = field(default_factory=dict)
    """The bundles of cancelled jobs, and which of their tasks will not be begun."""

    def run(self) -> None:
        """Look until told to stop."""
        while not self.stopping.wait(_LOOK_S):
            self.tick()

    def tick(self) -> None:
        for held in self.holdings.all():
            if held not in self.stopped and held.phase is Phase.RUNNING and self._is_cancelled(held):
                # Emptying the draw is one step of the interpreter: each task is either begun or taken away.
                self.stopped[held] = frozenset(held.draw)
        for held, unbegun in list(self.stopped.items()):
            if held.phase is not Phase.RUNNING:
                del self.stopped[held]
            elif unbegun and _begun_have_ended(held, unbegun):
                self._give_back(held)

    def _is_cancelled(self, held: Held) -> bool:
        try:
            job = self.gate.job(held.lease.key.job)
        except UnavailableError:
            return False  # it is asked again
        return job is not None and job.cancelled_ms is not None

    def _give_back(self, held: Held) -> None:
        try:
            self.keeper.give_back(held)
        except CloudKonError as error:
            log.warning("%s: %s Trying again.", held.lease.key, error)


def _begun_have_ended(held: Held, unbegun: frozenset[int]) -> bool:
    return all(_has_ended(held, result) for index, result in enumerate(held.results) if index not in unbegun)


def _has_ended(held: Held, result: TaskResult | None) -> bool:
    """Whether this is the result of a task's run in this claim, or one that will not be run again."""
    return result is not None and (result.is_final or result.attempt == held.lease.attempt)
