"""Takes messages from the queue: decode, claim, and add the bundle to the backlog."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from cloudkon.backoff import Backoff
from cloudkon.clock import Clock
from cloudkon.errors import DeniedError, NotFoundError, UnavailableError, WireError
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.lease import AlreadyDone, ClaimAnswer, Claimed, HeldElsewhere, Lease, Unanswered
from cloudkon.ledger.results import Results
from cloudkon.messages.sending import send_batch
from cloudkon.messages.wire import decode_bundle, encode_undecodable
from cloudkon.ports import MAX_BATCH_MESSAGES, MAX_MESSAGE_BYTES, Delivery, Leases, TaskQueue
from cloudkon.settings import Settings
from ec2_worker.pipeline.admission import Admission
from ec2_worker.pipeline.backlog import Backlog
from ec2_worker.pipeline.claimer import Admitted, Claimer
from ec2_worker.pipeline.events import WorkerEvents
from ec2_worker.pipeline.in_flight import InFlight, InFlightBundle, InFlightState
from ec2_worker.pipeline.settler import Settler
from ec2_worker.telemetry.traces import BundleTrace, Traces

log = logging.getLogger(__name__)

MAX_RECEIVES = 100
"""After so many the stage's task queue moves a message to the dead letters: its maxReceiveCount in stack.yaml."""
_MOST_SETTLING = 4 * MAX_BATCH_MESSAGES
"""How many bundles may wait for their record before no more are received."""
_SICK_LOOK_S = 0.25
"""How often a sick worker looks whether it is well again."""
_SOON_S = 5.0
"""When a message that could not be dealt with comes back."""
_LATER_S = 60.0
"""When a message comes back that this worker stumbled over."""
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
_MAX_HIDE_S = 12 * 3600.0


@dataclass(slots=True)
class Receiver:
    """Receives as many bundles as the backlog wants; what can't be used goes back, or to the dead-letter queue."""

    queue: TaskQueue
    dead_letters: TaskQueue
    leases: Leases
    claimer: Claimer
    admission: Admission
    backlog: Backlog
    in_flight: InFlight
    settler: Settler
    events: WorkerEvents
    clock: Clock
    settings: Settings
    replace_at_receives: int = MAX_RECEIVES // 2
    """How often a message may have been received before a copy is put in its place."""
    traces: Traces = field(default_factory=Traces)
    backoff: Backoff = field(default_factory=Backoff)
    stopping: threading.Event = field(default_factory=threading.Event)
    sick: threading.Event = field(default_factory=threading.Event)
    """While it is set, nothing is received."""

    def run(self, until_idle_s: float | None = None) -> None:
        """Receive until told to stop, or until nothing came and nothing was held for so long."""
        last_work_s = self.clock.monotonic_s()
        failures = 0
        while not self.stopping.is_set():
            if len(self.in_flight) or self.sick.is_set():
                last_work_s = self.clock.monotonic_s()
            if self.sick.is_set():
                self.stopping.wait(_SICK_LOOK_S)
                continue
            idle_left_s = self._idle_left_s(last_work_s, until_idle_s)
            if idle_left_s <= 0:
                return
            try:
                deliveries = self._receive(min(idle_left_s, self.settings.poll_s))
                failures = 0
            except UnavailableError as error:
                failures += 1
                log.warning("%s Trying again.", error)
                self.stopping.wait(self.backoff.delay_s(failures))
                continue
            if deliveries:
                self.take(deliveries)
                last_work_s = self.clock.monotonic_s()

    def _idle_left_s(self, last_work_s: float, until_idle_s: float | None) -> float:
        if until_idle_s is None:
            return self.settings.poll_s
        return until_idle_s - (self.clock.monotonic_s() - last_work_s)

    def _receive(self, wait_s: float) -> Sequence[Delivery]:
        if self.in_flight.settling() >= _MOST_SETTLING:
            # A ledger that is slow to record must not have more to record: leases would lapse that nobody gives up.
            self.stopping.wait(self.settings.linger_s)
            return ()
        count = self.backlog.wait_until_wanted(wait_s)
        if not count or self._refrains():  # while it waited for room, perhaps
            return ()
        deliveries = self.queue.receive(count, wait_s, self.settings.visibility_s)
        if deliveries and self._refrains():
            self.put_back([delivery.receipt for delivery in deliveries])
            return ()
        return deliveries

    def _refrains(self) -> bool:
        return self.stopping.is_set() or self.sick.is_set()

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Deal with messages: run each, drop it as done, leave it to who holds it, or move it to the dead letters.

        Nothing that a message holds, nor what the ledger holds of its bundle, ends the worker.
        """
        kept_out: dict[str, list[Delivery]] = {}
        admitted = [one for delivery in deliveries if (one := self._admitted(delivery, kept_out)) is not None]
        for job, some in kept_out.items():
            self._turn_away(job, some)
        answers = self.claimer.claim(admitted)
        for one, answer in zip(admitted, answers, strict=True):
            self._answered(one, answer)
        refused = [answer.error for answer in answers if isinstance(answer, Unanswered)]
        for error in refused:
            if isinstance(error, DeniedError | NotFoundError):
                raise error  # only now: what was claimed beside it is held, and is given back in order

    def _admitted(self, delivery: Delivery, kept_out: dict[str, list[Delivery]]) -> Admitted | None:
        """Decode the message, and ask whether its bundle may be claimed; None if not.

        The message has then been dealt with, or is among those of jobs that are not to be run.
        """
        received_s = self.clock.monotonic_s()
        try:
            bundle = decode_bundle(delivery.body)
            if self._is_replaced(delivery) or self._is_foreign(bundle, delivery):
                return None
            if not self.admission.admits(bundle.key.job):
                kept_out.setdefault(bundle.key.job, []).append(delivery)
                return None
            trace = self.traces.begin(bundle, self.clock, delivery.received_ms)
        except (DeniedError, NotFoundError):
            raise  # no message's fault
        except Exception as error:  # noqa: BLE001 (the next worker would end of the same message)
            self._stumbled(delivery, error)
            return None
        return Admitted(bundle, delivery, received_s, trace)

    def _is_foreign(self, bundle: Bundle, delivery: Delivery) -> bool:
        reason = self.admission.why_refused(bundle)
        if reason is not None:
            self._bury(delivery, reason)
        return reason is not None

    def _turn_away(self, job: str, deliveries: Sequence[Delivery]) -> None:
        """Together, for a job may be paused that has a hundred thousand messages."""
        try:
            self.admission.turn_away(job, deliveries)
        except (DeniedError, NotFoundError):
            raise  # no message's fault
        except Exception as error:  # noqa: BLE001 (the next worker would end of the same messages)
            for delivery in deliveries:
                self._stumbled(delivery, error)

    def _is_replaced(self, delivery: Delivery) -> bool:
        """Whether a copy was put in the place of a message that has been received often, for whatever reason.

        Retries, drains, lapsed leases and pauses all use up receives; no accepted task may end as a dead letter for it.
        The copy has been received never. If both stay, the claim tells them apart.
        """
        if delivery.receive_count < self.replace_at_receives:
            return False
        send_batch(self.queue, [delivery.body], self.clock, self.backoff)
        self.queue.delete([delivery.receipt])
        return True

    def _stumbled(self, delivery: Delivery, error: Exception) -> None:
        """Set a message aside that can't be used; let others come back some times: what is wrong may be mended."""
        if isinstance(error, WireError):
            self._bury(delivery, str(error))
        elif isinstance(error, UnavailableError | DeniedError | NotFoundError):
            log.warning("%s The message comes back.", error)
            self.put_back([delivery.receipt], _SOON_S)
        elif delivery.receive_count + 1 >= self.replace_at_receives:
            self._bury(delivery, f"{type(error).__name__}: {error}")
        else:
            log.error("A message can't be dealt with.", exc_info=error)
            self.put_back([delivery.receipt], _LATER_S)

    def _answered(self, taken: Admitted, answer: ClaimAnswer | Unanswered) -> None:
        bundle, delivery = taken.bundle, taken.delivery
        match answer:
            case Claimed(lease, results) if len(results) != len(bundle.tasks):
                self._refuse(lease, results, delivery)
            case Claimed():
                self._hold(bundle, answer, delivery, taken.received_s, taken.trace)
            case AlreadyDone(row):
                self.events.duplicate_dropped(bundle.key.job)
                self.settler.add_done(row, delivery.receipt)
            case HeldElsewhere(until_ms):
                self.events.duplicate_dropped(bundle.key.job)
                left_s = (until_ms - self.clock.now_ms()) / 1000 + self.backoff.delay_s(1)
                self.put_back([delivery.receipt], min(max(left_s, 0.0), _MAX_HIDE_S))
            case Unanswered(error):
                self._stumbled(delivery, error)
            case _:
                assert_never(answer)

    def _hold(
        self, bundle: Bundle, claimed: Claimed, delivery: Delivery, received_s: float, trace: BundleTrace | None
    ) -> None:
        lease = claimed.lease
        taken = InFlightBundle(
            bundle,
            lease,
            claimed.results,
            delivery.receipt,
            received_ms=delivery.received_ms,
            # From before the claim was sent: a slow answer shortens the lease, it never lengthens it.
            lease_ends_s=received_s + self.settings.lease_s - self.settings.guard_s,
            hidden_until_s=received_s + self.settings.visibility_s,
            now_s=received_s,
            trace=trace,
            task_slots=1 if (job := self.admission.seen(bundle.key.job)) is None else job.task_slots or 1,
        )
        self.in_flight.add(taken)
        self.events.bundle_claimed(bundle.key.job)
        if lease.fruitless > self.settings.fruitless_claims:
            taken.fail_rest(
                f"given up: {lease.fruitless - 1} workers in a row got nowhere with it", self.clock.now_ms()
            )
            self.settler.add(taken)
        elif taken.state is InFlightState.RUNNING:
            self.backlog.add(taken)
        else:
            self.settler.add(taken)

    def _refuse(self, lease: Lease, results: Results, delivery: Delivery) -> None:
        """Set aside a copy that differs from the one first claimed: its workload changed between two dispatches."""
        try:
            self.leases.release(lease, results)
        except UnavailableError as error:
            log.warning("%s: %s Its lease will lapse instead.", lease.key, error)
        self._bury(delivery, f"The ledger knows {lease.key} with {len(results)} tasks: the workload has changed since.")

    def put_back(self, receipts: Sequence[str], seconds: float = 0.0) -> None:
        """Let messages come back after so long; if SQS does not answer they come back by themselves, later."""
        try:
            self.queue.hide(receipts, seconds)
        except UnavailableError as error:
            log.warning("%s The message comes back when its visibility timeout ends.", error)

    def _bury(self, delivery: Delivery, reason: str) -> None:
        log.error("A message can't be used and goes to the dead-letter queue. %s", reason)
        wrapped = encode_undecodable(delivery.body, reason)
        body = wrapped if len(wrapped) <= MAX_MESSAGE_BYTES else delivery.body
        try:
            send_batch(self.dead_letters, [body], self.clock, self.backoff)
            self.queue.delete([delivery.receipt])
        except UnavailableError as error:
            log.warning("%s The message stays on its queue.", error)
