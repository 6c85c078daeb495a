"""A worker: one receiver, N slots, one keeper, one settler, and what ties them together."""

import logging
import threading

from cloudkon.backoff import Backoff
from cloudkon.errors import CloudKonError
from cloudkon.lease import BundleRow
from cloudkon.metering import Lately
from cloudkon.registry import Registry
from cloudkon.settings import Settings
from ec2_worker.board import Board
from ec2_worker.breaker import Breaker
from ec2_worker.canceller import Canceller
from ec2_worker.crew import Crew
from ec2_worker.drain import EndWatch
from ec2_worker.gate import Gate
from ec2_worker.gauges import Gauges
from ec2_worker.health import Health, SickError
from ec2_worker.held import Held, Holdings
from ec2_worker.keeper import Keeper
from ec2_worker.overruns import Overruns, Run
from ec2_worker.receiver import Receiver
from ec2_worker.recorder import Recorder
from ec2_worker.refuge import Refuge
from ec2_worker.reporter import Reporter
from ec2_worker.settler import Settler
from ec2_worker.slots import Slots
from ec2_worker.status import Herald
from ec2_worker.surroundings import Surroundings
from ec2_worker.traces import Traces
from ec2_worker.trial import Trial
from ec2_worker.vitals import Counts, Vitals

log = logging.getLogger(__name__)

_LOOK_S = 0.05
"""How often a draining worker looks whether it still holds anything."""
_LAST_WRITES_S = 2.0
"""What the keeper and the settler are given past the deadline, to end what they are writing."""


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
        self._clock = around.clock
        self._settings = settings
        self._slot_count = slots
        self._supervised = supervised
        self._holdings = Holdings()
        self._hurry = threading.Event()
        self._drained_by_s = float("inf")
        self._drain_reason = ""
        self._sickness = ""
        self._crew = Crew()
        self.stuck_slots = 0
        """Threads whose tasks never ended."""
        self.reporter = Reporter(around.ledger, name, slots, around.meter, around.clock)
        self.board = Board(slots, settings.backlog_s)
        self.gate = Gate(around.tasks, around.ledger, around.clock)
        self._breaker = Breaker(around.ledger, around.clock, settings.breaker_tasks, paused=self.gate.forget)
        recorder = Recorder(around.ledger, around.results, around.clock, settings)
        self.settler = Settler(
            around.tasks,
            around.process,
            recorder,
            self._holdings,
            self.reporter,
            around.clock,
            settings,
            lost=self._lose,
            completed=self._completed,
        )
        self.settler.retry_backoff = Backoff(settings.retry_base_s, settings.retry_cap_s)
        self.keeper = Keeper(
            around.tasks,
            recorder,
            self._holdings,
            self.reporter,
            around.clock,
            settings,
            lost=self._lose,
            look=self._look_for_overruns,
        )
        self._overruns = Overruns(settings.overrun_grace_s)
        trial = Trial(registry, around.clock, settings, self._overruns, around.results)
        self.slots = Slots(
            self.board,
            trial,
            around.clock,
            settings,
            finished=self._finish,
            mark=self.keeper.mark,
            stuck=self._replace_slot,
        )
        self.canceller = Canceller(self.gate, self._holdings, self.keeper)
        self.receiver = Receiver(
            around.tasks,
            around.dead_letters,
            around.ledger,
            self.board,
            self._holdings,
            self.reporter,
            around.clock,
            settings,
            worker=name,
            finished=self.settler.add,
            already_done=self.settler.add_done,
            admits=self.gate.admits,
            traces=Traces(around.tracer, name),
        )
        self.end_watch = None
        if around.metadata is not None:
            refuge = None
            if around.shelter is not None:
                refuge = Refuge(around.shelter, around.clock, lambda: len(self._holdings) > 0, settings.lull_s)
            self.end_watch = EndWatch(around.metadata, around.clock, settings.drain_s, self.drain_within, refuge)
        self._gauges = Gauges(
            around.metrics,
            around.clock,
            name,
            slots,
            settings.metrics_s,
            busy=lambda: self.board.busy,
            is_sick=self.receiver.sick.is_set,
        )
        counts = Counts()
        herald = Herald(
            around.ledger,
            around.clock,
            name,
            slots,
            settings.status_s,
            busy=lambda: self.board.busy,
            counts=counts.now,
            instance=lambda: self.end_watch.instance if self.end_watch else None,
            throttled=Lately(around.meter.throttled, around.clock).look,
        )
        self.vitals = Vitals(
            herald,
            Health(settings),
            around.clock,
            self.receiver.sick,
            self._gauges,
            held=lambda: len(self._holdings),
            draining=lambda: self._drain_reason if self.draining else None,
            give_up=self._give_up,
            counts=counts,
        )

    def run(self, until_idle_s: float | None = None) -> None:
        """Work until drain is called, or until nothing came for until_idle_s; then wind up in order.

        Raises what ended one of its threads: a queue that was deleted, permissions that were withdrawn.
        Raises SickError when it could not work for too long.
        """
        for number in range(1, self._slot_count + 1):
            self._crew.start(f"slot-{number}", self.slots.run)
        keeper = self._crew.start("keeper", self.keeper.run)
        settler = self._crew.start("settler", self.settler.run)
        self._crew.start("canceller", self.canceller.run)
        if self.end_watch is not None:
            self._crew.start("end-watch", self.end_watch.run)
        vitals = self._crew.start("vitals", self.vitals.run)
        receiver = self._crew.start("receiver", lambda: self.receiver.run(until_idle_s))
        while receiver.is_alive() and not self.receiver.stopping.is_set() and not self._crew.failures:
            receiver.join(_LOOK_S)
        failed = f"failed: {self._crew.failures[0]}" if self._crew.failures else "nothing left to do"
        self.drain_within(self._settings.drain_s, failed)
        left_s = max(0.0, self._drained_by_s - self._clock.monotonic_s())
        log.info("draining: %d bundles held, at most %.3g s left for them", len(self._holdings), left_s)
        self._wind_up(receiver, keeper, settler)
        self._last_words(vitals)
        if self._crew.failures:
            raise self._crew.failures[0]
        if self._sickness:
            raise SickError(f"This worker has been sick for too long: {self._sickness}.")

    def drain(self) -> None:
        """Receive nothing more, finish what fits in drain_s, give back the rest. A second call gives back at once.

        Safe to call from a signal handler.
        """
        if self.draining:
            self._hurry.set()
        self.drain_within(self._settings.drain_s)

    def drain_within(self, seconds: float, reason: str = "") -> None:
        """Drain, and be done in that time, or in drain_s if that is shorter; called again, it can only shorten."""
        self._drained_by_s = min(self._drained_by_s, self._clock.monotonic_s() + seconds)
        self._drain_reason = self._drain_reason or reason
        self.receiver.stopping.set()

    @property
    def draining(self) -> bool:
        return self.receiver.stopping.is_set()

    def _wind_up(self, receiver: threading.Thread, keeper: threading.Thread, settler: threading.Thread) -> None:
        for held in self.board.withdraw():
            self._give_back(held)
        while (receiver.is_alive() or len(self._holdings)) and not (self._hurry.is_set() or self._crew.failures):
            left_s = self._drained_by_s - self._clock.monotonic_s()
            if left_s <= 0:
                break
            self._hurry.wait(min(_LOOK_S, left_s))
        self.board.close()
        self.canceller.stopping.set()
        self.keeper.stopping.set()
        self.settler.stop()
        for thread in (keeper, settler):
            thread.join(self._last_writes_s())
        self._give_back_all()
        # A receive that is under way may be handed the very messages that were just given back, and the process must
        # not end with them: its thread puts them back.
        receiver.join(_LAST_WRITES_S if self._hurry.is_set() else self._settings.poll_s + _LAST_WRITES_S)
        self._give_back_all()
        self._last_report()

    def _last_writes_s(self) -> float:
        left_s = 0.0 if self._hurry.is_set() else self._drained_by_s - self._clock.monotonic_s()
        return max(_LAST_WRITES_S, left_s)

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

    def _give_back_all(self) -> None:
        for held in self._holdings.all():
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

    def _last_words(self, vitals: threading.Thread) -> None:
        if self.end_watch is not None:
            self.end_watch.stopping.set()
        self.vitals.stopping.set()
        vitals.join(_LAST_WRITES_S)
        if not vitals.is_alive():  # else it waits for a ledger that would not answer us either
            self.vitals.last_words(self._drain_reason)
        if self.end_watch is not None:
            self.end_watch.leave()

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
