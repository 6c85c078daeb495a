"""The order of a worker's shutdown: running tasks may end in time, ended ones are settled, the rest is given back.

When an unexpected failure ended one of the worker's threads, what was begun is not given back but left, as by a worker
that dies: the next owner is careful, and finds the task that does this to its workers.
"""

import logging
import threading
from dataclasses import dataclass

from cloudkon.errors import CloudKonError
from ec2_worker.health.monitor import Monitor
from ec2_worker.lifecycle.drain import Drain
from ec2_worker.lifecycle.termination_watch import TerminationWatch
from ec2_worker.lifecycle.threads import Loop, Threads
from ec2_worker.pipeline.backlog import Backlog
from ec2_worker.pipeline.heartbeat import Heartbeat
from ec2_worker.pipeline.in_flight import InFlight, InFlightBundle
from ec2_worker.pipeline.settler import Settler
from ec2_worker.telemetry.job_counters import JobCounters

log = logging.getLogger(__name__)

LOOK_S = 0.05
"""How often a worker looks whether it is to leave, or still has bundles in flight."""
_LAST_WRITES_S = 2.0
"""What each thread is given past the deadline, to end what it is writing."""


@dataclass(frozen=True, slots=True)
class Running:
    """The threads of a worker that have to be ended; those of its slots end with the backlog, or with the process."""

    receiver: threading.Thread
    settler: threading.Thread
    heartbeat: Loop
    values: Loop
    canceller: Loop
    failure_limit: Loop
    watchdog: Loop
    monitor: Loop
    termination_watch: Loop | None


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Run by the thread that runs the worker, once the drain has begun: nothing more is received."""

    drain: Drain
    threads: Threads
    backlog: Backlog
    in_flight: InFlight
    heartbeat: Heartbeat
    settler: Settler
    job_counters: JobCounters
    monitor: Monitor
    termination_watch: TerminationWatch | None
    poll_s: float
    """How long a receive may take that is under way."""

    def run(self, running: Running) -> None:
        log.info("draining: %d bundles in flight, at most %.3g s left", len(self.in_flight), self.drain.left_s)
        self._wait_for_tasks(running)
        self._stop_pipeline(running)
        self._give_back_rest(running)
        self._last_report()
        self.say_stopped(running.monitor)
        self.leave_instance(running.termination_watch)

    def _wait_for_tasks(self, running: Running) -> None:
        """Give back what nobody has begun, and wait for what has begun until the drain is over."""
        for bundle in self.backlog.take_untouched():
            self._give_back(bundle)
        while (running.receiver.is_alive() or len(self.in_flight)) and self.drain.left_s > 0:
            if self.threads.failures:
                return
            self.drain.hurried.wait(min(LOOK_S, self.drain.left_s))

    def _stop_pipeline(self, running: Running) -> None:
        """Start no further task; renew and settle no further bundle once those writes have ended."""
        self.backlog.close()
        running.canceller.tell_to_stop()
        running.failure_limit.tell_to_stop()
        running.values.tell_to_stop()
        running.watchdog.tell_to_stop()
        running.heartbeat.tell_to_stop()
        self.settler.stop()
        running.heartbeat.stop(max(_LAST_WRITES_S, self.drain.left_s))
        running.settler.join(max(_LAST_WRITES_S, self.drain.left_s))

    def _give_back_rest(self, running: Running) -> None:
        self.give_back_all()
        # A receive that is under way may be handed the very messages that were just given back, and the process must
        # not end with them: its thread puts them back.
        running.receiver.join(_LAST_WRITES_S if self.drain.hurried.is_set() else self.poll_s + _LAST_WRITES_S)
        self.give_back_all()

    def give_back_all(self) -> None:
        """Release what is still in flight; after an unexpected failure leave it instead."""
        if self.threads.failed_unexpectedly:
            self._leave_all()
            return
        for bundle in self.in_flight.all():
            if not self._give_back(bundle):
                break  # a ledger that does not answer now won't for the next, and time is short

    def _give_back(self, bundle: InFlightBundle) -> bool:
        try:
            self.heartbeat.give_back(bundle)
        except CloudKonError as error:
            log.warning("%s: %s Its lease will lapse instead.", bundle.lease.key, error)
            return False
        return True

    def _leave_all(self) -> None:
        """Record what there is, and let the leases lapse."""
        for bundle in self.in_flight.all():
            log.warning("%s: left as it is, for it may be what this worker failed of.", bundle.lease.key)
            try:
                self.heartbeat.result_writer.checkpoint(bundle)
            except Exception as error:  # noqa: BLE001 (it may be the very failure)
                log.warning("%s: %s Its last results are lost.", bundle.lease.key, error)
            self.in_flight.discard(bundle)

    def _last_report(self) -> None:
        try:
            self.job_counters.flush()
        except CloudKonError as error:
            log.warning("%s The last counters of this worker are lost; no result is.", error)

    def say_stopped(self, monitor: Loop) -> None:
        """Write the worker's last status."""
        if monitor.stop(_LAST_WRITES_S):  # else it waits for a ledger that would not answer us either
            self.monitor.report_stopped(self.drain.reason)

    def leave_instance(self, termination_watch: Loop | None) -> None:
        """Let the instance end, if its group waits for that."""
        if self.termination_watch is None or termination_watch is None:
            return
        if termination_watch.stop(_LAST_WRITES_S):  # else it waits for a group that would not answer us either
            self.termination_watch.leave()
