"""Gives up tasks that did not stop within their timeout, and starts another slot for each."""

import logging
from dataclasses import dataclass

from cloudkon.clock import Clock
from ec2_worker.lifecycle.drain import Drain
from ec2_worker.lifecycle.threads import Threads
from ec2_worker.pipeline.slots import Slots
from ec2_worker.pipeline.timeouts import Run, Timeouts

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Watchdog:
    """A supervised process has itself replaced once it has lost a slot: its stuck thread ends with it."""

    timeouts: Timeouts
    slots: Slots
    threads: Threads
    drain: Drain
    clock: Clock
    every_s: float
    supervised: bool
    stuck_slots: int = 0
    """Threads whose tasks never ended."""

    def tick(self) -> None:
        now_s = self.clock.monotonic_s()
        for run in self.timeouts.take_overdue(now_s):
            self.slots.give_up(run, now_s)
            self._replace_slot(run)

    def _replace_slot(self, run: Run) -> None:
        self.stuck_slots += 1
        line = run.bundle.message.tasks[run.index]
        log.warning("%s: a task did not stop after %g s: %.80s", run.bundle.lease.key, run.timeout_s, line)
        if self.supervised:
            log.warning("Its slot is lost; this process finishes what it has begun and asks to be replaced.")
            self.drain.within(self.drain.most_s, "a slot is stuck: to be replaced")
        self.threads.start(f"slot-replacement-{self.stuck_slots}", self.slots.run)
