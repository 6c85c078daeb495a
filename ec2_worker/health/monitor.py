"""Examines the worker once a second: whether it is healthy, and what it tells of itself."""

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.ledger.fleet import WorkerState
from cloudkon.ledger.results import TaskState
from ec2_worker.health.fleet_status import FleetStatus
from ec2_worker.health.health import Health, Signs, Streaks
from ec2_worker.pipeline.in_flight import InFlight, InFlightBundle
from ec2_worker.pipeline.value_store import ValueStore
from ec2_worker.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


def free_disk_bytes() -> int:
    """How much is free for temporary files; 0 if there is no folder for them."""
    try:
        return shutil.disk_usage(tempfile.gettempdir()).free
    except OSError:
        return 0


@dataclass(slots=True)
class Counts:
    """What has ended here. Not exact at any moment: slots may be about to end bundles."""

    bundles: int = 0
    tasks: int = 0

    def now(self) -> tuple[int, int]:
        return self.bundles, self.tasks


@dataclass(slots=True)
class Monitor:
    """A thread of its own: a ledger that does not answer must not hold up the heartbeats."""

    fleet_status: FleetStatus
    health: Health
    clock: Clock
    sick: threading.Event
    """While it is set, the receiver receives nothing."""
    metrics: Metrics
    in_flight: InFlight
    values: ValueStore
    draining: Callable[[], str | None]
    """Why the worker drains, None while it does not."""
    drain: Callable[[str], None]
    """Told why when the worker has been sick for too long."""
    counts: Counts
    free_disk_bytes: Callable[[], int] = free_disk_bytes
    every_s: float = 1.0
    streaks: Streaks = field(default_factory=Streaks)
    sick_for_too_long: str = ""
    """What was wrong, once the worker has been drained for it."""

    def tick(self) -> None:
        self._examine()
        self.metrics.tick()
        reason = self.draining()
        if reason is not None:
            self._report(WorkerState.DRAINING, reason)
        elif self.health.reason:
            self._report(WorkerState.SICK, self.health.reason)
        else:
            self._report(WorkerState.WORKING if len(self.in_flight) else WorkerState.IDLE, "")

    def ended(self, bundle: InFlightBundle) -> None:
        """Take note of a bundle whose tasks have all ended."""
        results, attempt = bundle.results, bundle.lease.attempt
        plain = results.attempts.count(attempt)
        others = [result for _, result in results.others() if result.attempt == attempt]
        self.counts.bundles += 1
        self.counts.tasks += plain + len(others)
        if plain or others:
            succeeded = plain > 0 or any(each.state is TaskState.SUCCEEDED for each in others)
            self.streaks.ended(bundle.lease.key.job, succeeded=succeeded)

    def report_stopped(self, reason: str) -> None:
        """Write that the worker has stopped, unless the ledger does not answer anyway."""
        self.metrics.flush()
        if not self.fleet_status.silent_s:
            self._report(WorkerState.STOPPED, reason)

    def _report(self, state: WorkerState, reason: str) -> None:
        self.fleet_status.report(state, reason, self.streaks.now())

    def _examine(self) -> None:
        failing = self.streaks.now()
        others = self.fleet_status.others() if self.health.is_suspicious(failing) else ()
        now_s = self.clock.monotonic_s()
        signs = Signs(
            self.free_disk_bytes(),
            self.fleet_status.silent_s,
            failing,
            others,
            store_failing_s=self.values.failing_s,
            store_failure=self.values.failure,
        )
        self.health.look(signs, now_s)
        if self.health.reason and not self.sick.is_set():
            self.sick.set()
            log.error("Sick: %s. Receiving nothing until that is over.", self.health.reason)
        elif self.sick.is_set() and not self.health.reason:
            self.sick.clear()
            log.info("Receiving again.")
        if self.health.given_up(now_s) and self.draining() is None:
            self.sick_for_too_long = self.health.reason
            self.drain(f"sick for too long: {self.health.reason}")
