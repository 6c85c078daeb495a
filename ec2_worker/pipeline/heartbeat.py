"""Keeps what the worker holds: one thread owns the lease and the visibility of every bundle."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ports import MAX_BATCH_MESSAGES, TaskQueue
from cloudkon.settings import Settings
from ec2_worker.pipeline.in_flight import Held, Holdings, Phase
from ec2_worker.pipeline.result_writer import Recorder
from ec2_worker.telemetry.job_counters import Reporter

log = logging.getLogger(__name__)

_TICKS_A_CHECKPOINT = 4
_QUIET_REPORT_S = 1.0
"""A worker that has run out of work reports this soon: a job's last counters should not be late."""


_KEPT = (Phase.RUNNING, Phase.SETTLING)
"""A bundle that waits for a slow ledger must not be taken over: whoever did would wait as long, and run it again."""


@dataclass(slots=True)
class Keeper:
    """Checkpoints, heartbeats, and the worker's own reports, by the clock."""

    queue: TaskQueue
    recorder: Recorder
    holdings: Holdings
    reporter: Reporter
    clock: Clock
    settings: Settings
    lost: Callable[[Held], None]
    look: Callable[[float], None] = lambda _: None
    """Called at each tick with the monotonic time [s]: what else is to be done by the clock."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Tick until told to stop."""
        while not self.stopping.wait(self.settings.checkpoint_s / _TICKS_A_CHECKPOINT):
            self.tick()

    def tick(self) -> None:
        """Do everything that is due; what fails is due again at the next tick."""
        now_s = self.clock.monotonic_s()
        self.look(now_s)
        for held in self.holdings.all():
            if held.phase is Phase.LAPSED:
                self._attempt(partial(self.give_back, held))
            elif held.phase in _KEPT and self._save_due(held, now_s):
                self._attempt(partial(self._save, held))
        self._attempt(partial(self._extend, now_s))
        if self.reporter.changed and now_s - self.reporter.flushed_s >= self._report_every_s():
            self._attempt(self.reporter.flush)

    def _save_due(self, held: Held, now_s: float) -> bool:
        since_s = now_s - held.saved_s
        if held.phase is Phase.SETTLING:
            return since_s >= self.settings.heartbeat_s  # its results are about to be written anyway
        return since_s >= self.settings.heartbeat_s or (since_s >= self.settings.checkpoint_s and held.unsaved > 0)

    def _save(self, held: Held) -> None:
        row = self.recorder.checkpoint(held)
        # A bundle that was settled meanwhile refuses the checkpoint too, and that is no loss.
        if row is None and held.phase is Phase.RUNNING:
            self.lost(held)
        elif row is None:
            held.saved_s = self.clock.monotonic_s()  # the settler finds out which; no need to ask at every tick

    def mark(self, held: Held) -> bool:
        """Write a careful bundle's mark down; False if it could not be."""
        try:
            self._save(held)
        except CloudKonError as error:
            log.warning("%s: %s It is given back.", held.lease.key, error)
            return False
        return held.phase is Phase.RUNNING

    def give_back(self, held: Held) -> None:
        """Release a bundle with the results so far, for anyone to claim at once."""
        held.phase = Phase.RETURNING  # no checkpoint and no heartbeat may follow the release
        try:
            row = self.recorder.release(held)
        except CloudKonError:
            held.phase = Phase.LAPSED
            raise
        if row is None:
            self.lost(held)
            return
        self.holdings.discard(held)
        self.queue.hide([held.receipt], 0)

    def _extend(self, now_s: float) -> None:
        """Hide the messages of what is held for another visibility timeout."""
        margin_s = self.settings.visibility_s - self.settings.heartbeat_s
        due = iter(
            held
            for held in self.holdings.all()
            if held.phase is not Phase.RETURNING and held.hidden_until_s - now_s <= margin_s
        )
        while batch := list(islice(due, MAX_BATCH_MESSAGES)):
            failed = set(self._hide([held.receipt for held in batch]))
            for position, held in enumerate(batch):
                if position not in failed:
                    held.hidden_until_s = now_s + self.settings.visibility_s

    def _hide(self, receipts: Sequence[str]) -> Sequence[int]:
        return self.queue.hide(receipts, self.settings.visibility_s)

    def _report_every_s(self) -> float:
        return self.settings.report_s if len(self.holdings) else min(_QUIET_REPORT_S, self.settings.report_s)

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except CloudKonError as error:
            log.warning("%s Trying again.", error)
