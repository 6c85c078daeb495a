"""How a worker leaves: what runs may end in the time that is left, what has ended is settled, the rest goes back."""

import logging
import threading
from dataclasses import dataclass

from cloudkon.errors import CloudKonError
from ec2_worker.health.monitor import Vitals
from ec2_worker.lifecycle.drain import Drain
from ec2_worker.lifecycle.termination_watch import EndWatch
from ec2_worker.lifecycle.threads import Crew
from ec2_worker.pipeline.backlog import Board
from ec2_worker.pipeline.canceller import Canceller
from ec2_worker.pipeline.heartbeat import Keeper
from ec2_worker.pipeline.in_flight import Held, Holdings
from ec2_worker.pipeline.settler import Settler
from ec2_worker.telemetry.job_counters import Reporter

log = logging.getLogger(__name__)

LOOK_S = 0.05
"""How often a worker looks whether it is to leave, or still holds anything."""
_LAST_WRITES_S = 2.0
"""What each thread is given past the deadline, to end what it is writing."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """Of the thread that runs the worker."""

    drain: Drain
    crew: Crew
    board: Board
    holdings: Holdings
    keeper: Keeper
    settler: Settler
    canceller: Canceller
    reporter: Reporter
    vitals: Vitals
    end_watch: EndWatch | None
    poll_s: float
    """How long a receive may take that is under way."""

    def say(self, receiver: threading.Thread, keeper: threading.Thread, settler: threading.Thread) -> None:
        """Let go of everything that is held, in order; nothing more is received."""
        log.info("draining: %d bundles held, at most %.3g s left for them", len(self.holdings), self.drain.left_s)
        for held in self.board.withdraw():
            self._give_back(held)
        while (receiver.is_alive() or len(self.holdings)) and self.drain.left_s > 0 and not self.crew.failures:
            self.drain.hurried.wait(min(LOOK_S, self.drain.left_s))
        self.board.close()
        self.canceller.stopping.set()
        self.keeper.stopping.set()
        self.settler.stop()
        for thread in (keeper, settler):
            thread.join(max(_LAST_WRITES_S, self.drain.left_s))
        self._give_back_all()
        # A receive that is under way may be handed the very messages that were just given back, and the process must
        # not end with them: its thread puts them back.
        receiver.join(_LAST_WRITES_S if self.drain.hurried.is_set() else self.poll_s + _LAST_WRITES_S)
        self._give_back_all()
        self._last_report()

    def last_words(self, vitals: threading.Thread, end_watch: threading.Thread | None) -> None:
        """Say that the worker has stopped, and let its instance end."""
        self.vitals.stopping.set()
        if self.end_watch is not None:
            self.end_watch.stopping.set()
        vitals.join(_LAST_WRITES_S)
        if not vitals.is_alive():  # else it waits for a ledger that would not answer us either
            self.vitals.last_words(self.drain.reason)
        if self.end_watch is not None and end_watch is not None:
            end_watch.join(_LAST_WRITES_S)
            if not end_watch.is_alive():  # else it waits for a group that would not answer us either
                self.end_watch.leave()

    def _give_back_all(self) -> None:
        for held in self.holdings.all():
            if not self._give_back(held):
                break  # who does not answer for one won't for the next, and time is short

    def _give_back(self, held: Held) -> bool:
        try:
            self.keeper.give_back(held)
        except CloudKonError as error:
            log.warning("%s: %s Its lease will lapse instead.", held.lease.key, error)
            return False
        return True

    def _last_report(self) -> None:
        try:
            self.reporter.flush()
        except CloudKonError as error:
            log.warning("%s The last counters of this worker are lost; no result is.", error)
