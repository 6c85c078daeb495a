"""A worker: one receiver, N slots, one keeper, one settler, and what ties them together."""

import logging

from cloudkon.backoff import Backoff
from cloudkon.handlers.registry import Registry
from cloudkon.ledger.lease import BundleRow
from cloudkon.settings import Settings
from cloudkon.telemetry.metering import RecentCounts
from ec2_worker.health.breaker import Breaker
from ec2_worker.health.fleet_status import Herald
from ec2_worker.health.health import Health, SickError
from ec2_worker.health.monitor import Counts, Vitals
from ec2_worker.lifecycle.drain import Drain
from ec2_worker.lifecycle.scale_in_protection import Refuge
from ec2_worker.lifecycle.shutdown import LOOK_S, Farewell
from ec2_worker.lifecycle.termination_watch import EndWatch
from ec2_worker.lifecycle.threads import Crew
from ec2_worker.pipeline.admission import Gate
from ec2_worker.pipeline.backlog import Board
from ec2_worker.pipeline.canceller import Canceller
from ec2_worker.pipeline.heartbeat import Keeper
from ec2_worker.pipeline.in_flight import Held, Holdings
from ec2_worker.pipeline.receiver import Receiver
from ec2_worker.pipeline.result_writer import Recorder
from ec2_worker.pipeline.settler import Settler
from ec2_worker.pipeline.slots import Slots
from ec2_worker.pipeline.task_runner import Trial
from ec2_worker.pipeline.timeouts import Overruns, Run
from ec2_worker.services import Surroundings
from ec2_worker.telemetry.job_counters import Reporter
from ec2_worker.telemetry.metrics import Gauges
from ec2_worker.telemetry.traces import Traces

log = logging.getLogger(__name__)


class Worker:
    """Runs tasks until it is idle for long enough, or told to drain."""

    def __init__(
        self,
        around: Surroundings,
        registry: Registry,
        settings: Settings,
        *,
        name: str,
        slots: int,
        supervised: bool = False,
    ) -> None:
        self._around = around
        self._settings = settings
        self._name = name
        self._slot_count = slots
        self._supervised = supervised
        self._sickness = ""
        self.stuck_slots = 0
        """Threads whose tasks never ended."""
        self._crew = Crew()
        self._holdings = Holdings()
        self._drain = Drain(around.clock, settings.drain_s)
        self.reporter = Reporter(around.ledger, name, slots, around.meter, around.clock)
        self.board = Board(slots, settings.backlog_s)
        self.gate = Gate(around.tasks, around.ledger, around.clock)
        self._breaker = Breaker(around.ledger, around.clock, settings.breaker_tasks, paused=self.gate.forget)
        self._overruns = Overruns(settings.overrun_grace_s)
        recorder = Recorder(around.ledger, around.values or around.results, around.clock, settings)
        self.settler = self._make_settler(recorder)
        self.keeper = self._make_keeper(recorder)
        self.slots = self._make_slots(registry)
        self.canceller = Canceller(self.gate, self._holdings, self.keeper)
        self.receiver = self._make_receiver()
        self.end_watch = self._make_end_watch()
        self._gauges = self._make_gauges()
        self.vitals = self._make_vitals()

    def run(self, until_idle_s: float | None = None) -> None:
        """Work until drain is called, or until nothing came for until_idle_s; then leave in order.

        Raises what ended one of its threads: a queue that was deleted, permissions that were withdrawn.
        Raises SickError when it could not work for too long.
        """
        start, watch = self._crew.start, self.end_watch
        for number in range(1, self._slot_count + 1):
            start(f"slot-{number}", self.slots.run)
        keeper = start("keeper", self.keeper.run)
        settler = start("settler", self.settler.run)
        start("canceller", self.canceller.run)
        end_watch = None if watch is None else start("end-watch", watch.run)
        vitals = start("vitals", self.vitals.run)
        receiver = start("receiver", lambda: self.receiver.run(until_idle_s))
        while receiver.is_alive() and not self.draining and not self._crew.failures:
            receiver.join(LOOK_S)
        failed = f"failed: {self._crew.failures[0]}" if self._crew.failures else "nothing left to do"
        self.drain_within(self._settings.drain_s, failed)
        farewell = self._make_farewell()
        farewell.say(receiver, keeper, settler)
        farewell.last_words(vitals, end_watch)
        if self._crew.failures:
            raise self._crew.failures[0]
        if self._sickness:
            raise SickError(f"This worker has been sick for too long: {self._sickness}.")

    def drain(self) -> None:
        """Receive nothing more, finish what fits in drain_s, give back the rest. A second call gives back at once.

        Safe to call from a signal handler.
        """
        if self.draining:
            self._drain.hurried.set()
        self.drain_within(self._settings.drain_s)

    def drain_within(self, seconds: float, reason: str = "") -> None:
        """Drain, and be done in that time, or in drain_s if that is shorter; called again, it can only shorten."""
        self._drain.within(seconds, reason)

    @property
    def draining(self) -> bool:
        return self._drain.begun.is_set()

    def _make_settler(self, recorder: Recorder) -> Settler:
        around, settings = self._around, self._settings
        return Settler(
            around.tasks,
            around.process,
            recorder,
            self._holdings,
            self.reporter,
            around.clock,
            settings,
            lost=self._lose,
            completed=self._completed,
            retry_backoff=Backoff(settings.retry_base_s, settings.retry_cap_s),
        )

    def _make_keeper(self, recorder: Recorder) -> Keeper:
        return Keeper(
            self._around.tasks,
            recorder,
            self._holdings,
            self.reporter,
            self._around.clock,
            self._settings,
            lost=self._lose,
            look=self._look_for_overruns,
        )

    def _make_slots(self, registry: Registry) -> Slots:
        clock, settings = self._around.clock, self._settings
        return Slots(
            self.board,
            Trial(registry, clock, settings, self._overruns, self._around.results),
            clock,
            settings,
            finished=self._finish,
            mark=self.keeper.mark,
            stuck=self._replace_slot,
        )

    def _make_receiver(self) -> Receiver:
        around = self._around
        return Receiver(
            around.tasks,
            around.dead_letters,
            around.ledger,
            self.board,
            self._holdings,
            self.reporter,
            around.clock,
            self._settings,
            worker=self._name,
            finished=self.settler.add,
            already_done=self.settler.add_done,
            admits=self.gate.admits,
            traces=Traces(around.tracer, self._name),
            stopping=self._drain.begun,
        )

    def _make_end_watch(self) -> EndWatch | None:
        around = self._around
        if around.metadata is None:
            return None
        refuge = None
        if around.shelter is not None:
            refuge = Refuge(around.shelter, around.clock, lambda: len(self._holdings) > 0, self._settings.lull_s)
        return EndWatch(around.metadata, around.clock, self._settings.drain_s, self.drain_within, refuge)

    def _make_gauges(self) -> Gauges:
        return Gauges(
            self._around.metrics,
            self._around.clock,
            self._name,
            self._slot_count,
            self._settings.metrics_s,
            busy=lambda: self.board.busy,
            is_sick=self.receiver.sick.is_set,
        )

    def _make_vitals(self) -> Vitals:
        around, counts = self._around, Counts()
        herald = Herald(
            around.ledger,
            around.clock,
            self._name,
            self._slot_count,
            self._settings.status_s,
            busy=lambda: self.board.busy,
            counts=counts.now,
            instance=lambda: self.end_watch.instance if self.end_watch else None,
            throttled=RecentCounts(around.meter.throttled, around.clock).look,
        )
        return Vitals(
            herald,
            Health(self._settings),
            around.clock,
            self.receiver.sick,
            self._gauges,
            held=lambda: len(self._holdings),
            draining=lambda: self._drain.reason if self.draining else None,
            give_up=self._give_up,
            counts=counts,
        )

    def _make_farewell(self) -> Farewell:
        return Farewell(
            self._drain,
            self._crew,
            self.board,
            self._holdings,
            self.keeper,
            self.settler,
            self.canceller,
            self.reporter,
            self.vitals,
            self.end_watch,
            self._settings.poll_s,
        )

    def _look_for_overruns(self, now_s: float) -> None:
        for run in self._overruns.take_late(now_s):
            self.slots.overran(run, now_s)

    def _replace_slot(self, run: Run) -> None:
        """Start another slot for one whose task does not stop; a supervised process has itself replaced instead."""
        self.stuck_slots += 1
        line = run.held.bundle.tasks[run.index]
        log.warning("%s: a task did not stop after %g s: %.80s", run.held.lease.key, run.timeout_s, line)
        if self._supervised:
            log.warning("Its slot is lost; this process finishes what it has begun and asks to be replaced.")
            self.drain_within(self._settings.drain_s, "a slot is stuck: to be replaced")
        self._crew.start(f"slot-{self._slot_count + self.stuck_slots}", self.slots.run)

    def _finish(self, held: Held) -> None:
        self.board.measured(held)
        self.vitals.ended(held)
        self.settler.add(held)

    def _completed(self, row: BundleRow) -> None:
        self._breaker.completed(row)
        self._gauges.completed(row)

    def _give_up(self, sickness: str) -> None:
        if not self.draining:
            self._sickness = sickness
            self.drain_within(self._settings.drain_s, f"sick for too long: {sickness}")

    def _lose(self, held: Held) -> None:
        log.warning("%s: another worker has taken over.", held.lease.key)
        self.reporter.lost_lease(held.lease.key.job, held.unsaved)
        self._gauges.lost_lease()
        if (trace := held.trace) is not None:
            trace.error = "another worker has taken over"
        self._holdings.discard(held)
