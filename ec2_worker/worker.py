"""A worker starts its threads, waits until it is to leave, and shuts down in order. assembly.py puts it together."""

from dataclasses import dataclass

from cloudkon.settings import Settings
from ec2_worker.health.failure_limit import FailureLimit
from ec2_worker.health.health import SickError
from ec2_worker.health.monitor import Monitor
from ec2_worker.lifecycle.drain import Drain
from ec2_worker.lifecycle.shutdown import LOOK_S, Running, Shutdown
from ec2_worker.lifecycle.termination_watch import TerminationWatch
from ec2_worker.lifecycle.threads import Threads
from ec2_worker.lifecycle.watchdog import Watchdog
from ec2_worker.pipeline.admission import Admission
from ec2_worker.pipeline.backlog import Backlog
from ec2_worker.pipeline.canceller import Canceller
from ec2_worker.pipeline.heartbeat import Heartbeat
from ec2_worker.pipeline.in_flight import InFlight
from ec2_worker.pipeline.receiver import Receiver
from ec2_worker.pipeline.settler import Settler
from ec2_worker.pipeline.slots import Slots
from ec2_worker.pipeline.value_store import ValueStore


@dataclass(frozen=True, slots=True)
class Worker:
    """Runs tasks until it is idle for long enough, or told to drain.

    A bundle's way is receiver, backlog, slots, settler; meanwhile it is in flight, and the heartbeat renews it.
    """

    settings: Settings
    slot_count: int
    admission: Admission
    receiver: Receiver
    backlog: Backlog
    in_flight: InFlight
    slots: Slots
    heartbeat: Heartbeat
    settler: Settler
    canceller: Canceller
    failure_limit: FailureLimit
    values: ValueStore
    watchdog: Watchdog
    monitor: Monitor
    termination_watch: TerminationWatch | None
    """None where the worker can't be on EC2."""
    threads: Threads
    draining: Drain
    shutdown: Shutdown

    def run(self, until_idle_s: float | None = None) -> None:
        """Work until drain is called, or until nothing came for until_idle_s; then shut down in order.

        Raises what ended one of its threads: a queue that was deleted, permissions that were withdrawn.
        Raises SickError when it could not work for too long.
        """
        running = self._start(until_idle_s)
        self._wait(running)
        self.shutdown.run(running)
        if self.threads.failures:
            raise self.threads.failures[0]
        if self.monitor.sick_for_too_long:
            raise SickError(f"This worker has been sick for too long: {self.monitor.sick_for_too_long}.")

    def drain(self) -> None:
        """Receive nothing more, finish what fits in drain_s, give back the rest. A second call gives back at once.

        Safe to call from a signal handler.
        """
        if self.draining.begun.is_set():
            self.draining.hurried.set()
        self.drain_within(self.settings.drain_s)

    def drain_within(self, seconds: float, reason: str = "") -> None:
        """Drain, and be done in that time, or in drain_s if that is shorter; called again, it can only shorten."""
        self.draining.within(seconds, reason)

    @property
    def stuck_slots(self) -> int:
        """How many threads are lost to tasks that never end."""
        return self.watchdog.stuck_slots

    def _start(self, until_idle_s: float | None) -> Running:
        start, loop, watch = self.threads.start, self.threads.start_loop, self.termination_watch
        for number in range(1, self.slot_count + 1):
            start(f"slot-{number}", self.slots.run)
        return Running(
            heartbeat=loop("heartbeat", self.heartbeat),
            settler=start("settler", self.settler.run),
            values=loop("value-store", self.values),
            canceller=loop("canceller", self.canceller),
            failure_limit=loop("failure-limit", self.failure_limit),
            watchdog=loop("watchdog", self.watchdog),
            monitor=loop("monitor", self.monitor),
            termination_watch=None if watch is None else loop("termination-watch", watch),
            receiver=start("receiver", lambda: self.receiver.run(until_idle_s)),
        )

    def _wait(self, running: Running) -> None:
        failures = self.threads.failures
        while running.receiver.is_alive() and not self.draining.begun.is_set() and not failures:
            running.receiver.join(LOOK_S)
        self.drain_within(self.settings.drain_s, f"failed: {failures[0]}" if failures else "nothing left to do")
