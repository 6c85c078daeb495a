"""Looks after the worker: is it well, what does it do, who should know."""

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.ledger.fleet import WorkerState
from cloudkon.ledger.results import TaskState
from ec2_worker.health.fleet_status import Herald
from ec2_worker.health.health import Health, Signs, Streaks
from ec2_worker.pipeline.in_flight import Held
from ec2_worker.telemetry.metrics import Gauges

log = logging.getLogger(__name__)


def free_disk_bytes() -> int:
    """What is free for temporary files; nothing if there is no place for them at all."""
    try:
        return shutil.disk_usage(tempfile.gettempdir()).free
    except OSError:
        return 0


@dataclass(slots=True)
class Counts:
    """What has ended here; a number or two may be late when slots end bundles together."""

    bundles: int = 0
    tasks: int = 0

    def now(self) -> tuple[int, int]:
        return self.bundles, self.tasks


@dataclass(slots=True)
class Vitals:
    """A thread of its own: a ledger that does not answer must not hold up the heartbeats."""

    herald: Herald
    health: Health
    clock: Clock
    sick: threading.Event
    """While it is set, the receiver receives nothing."""
    gauges: Gauges
    held: Callable[[], int]
    """How many bundles the worker holds."""
    draining: Callable[[], str | None]
    """Why the worker drains, None while it does not."""
    give_up: Callable[[str], None]
    counts: Counts
    free_disk_bytes: Callable[[], int] = free_disk_bytes
    every_s: float = 1.0
    streaks: Streaks = field(default_factory=Streaks)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Look at once, and then every second or so until told to stop."""
        self.tick()
        while not self.stopping.wait(self.every_s):
            self.tick()

    def tick(self) -> None:
        self._examine()
        self.gauges.tick()
        reason = self.draining()
        if reason is not None:
            self._tell(WorkerState.DRAINING, reason)
        elif self.health.reason:
            self._tell(WorkerState.SICK, self.health.reason)
        else:
            self._tell(WorkerState.WORKING if self.held() else WorkerState.IDLE, "")

    def ended(self, held: Held) -> None:
        """Take note of a bundle whose tasks have all ended."""
        here = [each for each in held.results if each is not None and each.attempt == held.lease.attempt]
        self.counts.bundles += 1
        self.counts.tasks += len(here)
        if here:
            self.streaks.ended(held.lease.key.job, succeeded=any(each.state is TaskState.SUCCEEDED for each in here))

    def last_words(self, reason: str) -> None:
        """Say that the worker has stopped, unless nobody answers anyway."""
        self.gauges.flush()
        if not self.herald.silent_s:
            self._tell(WorkerState.STOPPED, reason)

    def _tell(self, state: WorkerState, reason: str) -> None:
        self.herald.tell(state, reason, self.streaks.now())

    def _examine(self) -> None:
        failing = self.streaks.now()
        others = self.herald.others() if self.health.is_suspicious(failing) else ()
        now_s = self.clock.monotonic_s()
        self.health.look(Signs(self.free_disk_bytes(), self.herald.silent_s, failing, others), now_s)
        if self.health.reason and not self.sick.is_set():
            self.sick.set()
            log.error("Sick: %s. Receiving nothing until that is over.", self.health.reason)
        elif self.sick.is_set() and not self.health.reason:
            self.sick.clear()
            log.info("Receiving again.")
        if self.health.given_up(now_s):
            self.give_up(self.health.reason)
