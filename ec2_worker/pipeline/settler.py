"""Settles finished bundles: complete in the ledger, forward to the process queue, and only then delete the message."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from queue import Empty, SimpleQueue

from cloudkon.backoff import Backoff, attempt
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, UnavailableError
from cloudkon.ledger.lease import BundleRow
from cloudkon.messages.completions import Completions
from cloudkon.messages.wire import encode_bundle
from cloudkon.ports import MAX_BATCH_MESSAGES, MAX_DELAY_S, TaskQueue
from cloudkon.settings import Settings
from ec2_worker.pipeline.events import WorkerEvents
from ec2_worker.pipeline.in_flight import InFlight, InFlightBundle, InFlightState
from ec2_worker.pipeline.result_writer import ResultWriter
from ec2_worker.pipeline.retry_policy import wait_before_retry_s

log = logging.getLogger(__name__)

_COMPLETE_THREADS = 4
_HIDDEN_AT_MOST_S = 60.0
"""How long a message may wait for a retry in flight: of those SQS allows 120,000 a queue."""
_FOR_A_BATCH_S = 0.25
"""How long the results of a bundle wait for those of others, while there are others: calls for each would cost more."""
_MOST_AT_ONCE = 4 * MAX_BATCH_MESSAGES


@dataclass(slots=True, eq=False)
class Settlement:
    """A message whose bundle has run. Its next step: complete while it has no row, then forward, then delete."""

    receipt: str
    bundle: InFlightBundle | None = None
    row: BundleRow | None = None
    forwarded: bool = False
    over: bool = False


class _Stop(Enum):
    """The last item of the inbox."""

    NOW = auto()


@dataclass(slots=True)
class Settler:
    """Takes each settlement through its steps; a step that fails is tried again, with backoff."""

    queue: TaskQueue
    completions: Completions
    result_writer: ResultWriter
    in_flight: InFlight
    events: WorkerEvents
    clock: Clock
    settings: Settings
    backoff: Backoff = field(default_factory=Backoff)
    """How long failed calls wait."""
    retry_backoff: Backoff = field(init=False)
    """How long failed tasks wait for their next run."""
    inbox: "SimpleQueue[Settlement | _Stop]" = field(default_factory=SimpleQueue)

    def __post_init__(self) -> None:
        self.retry_backoff = Backoff(self.settings.retry_base_s, self.settings.retry_cap_s)

    def add(self, bundle: InFlightBundle) -> None:
        """Settle a bundle whose tasks have all ended."""
        if bundle.state is InFlightState.GONE:
            return  # given back while its last task ran
        bundle.state = InFlightState.SETTLING
        self.inbox.put(Settlement(bundle.receipt, bundle=bundle))

    def add_done(self, row: BundleRow, receipt: str) -> None:
        """Forward a bundle that was completed before, for its completion may never have been; then delete it."""
        self.inbox.put(Settlement(receipt, row=row))

    def stop(self) -> None:
        """Let run return once everything added so far is settled."""
        self.inbox.put(_Stop.NOW)

    def run(self) -> None:
        open_: list[Settlement] = []
        failures, stopping = 0, False
        with ThreadPoolExecutor(_COMPLETE_THREADS, thread_name_prefix="complete") as pool:
            while not (stopping and not open_):
                fresh, stopped = self._gather(wait=not open_ and not stopping)
                stopping = stopping or stopped
                open_ += fresh
                left = self.settle(open_, pool.map)
                failures = failures + 1 if len(left) == len(open_) else 0  # none is over: that is what to wait for
                open_ = left
                if failures and open_:
                    self.clock.sleep(self.backoff.delay_s(failures))

    def _gather(self, *, wait: bool) -> tuple[list[Settlement], bool]:
        """Take what is in the inbox; after the first item wait for more, so that calls are batches."""
        found: list[Settlement] = []
        until_s = 0.0
        try:
            while len(found) < _MOST_AT_ONCE:
                item = self.inbox.get(block=wait or bool(found), timeout=self._linger_s(found, until_s))
                if isinstance(item, _Stop):
                    return found, True
                until_s = until_s or self.clock.monotonic_s() + _FOR_A_BATCH_S
                found.append(item)
        except Empty:
            pass
        return found, False

    def _linger_s(self, found: Sequence[Settlement], until_s: float) -> float | None:
        """How long to wait for the next item: longer while bundles are running, and no batch is full yet."""
        if not found:
            return None
        if len(found) >= MAX_BATCH_MESSAGES or not self.in_flight.running():
            return self.settings.linger_s
        return max(self.settings.linger_s, until_s - self.clock.monotonic_s())

    def settle(
        self, settlements: Sequence[Settlement], each: Callable[..., Iterable[object]] = map
    ) -> list[Settlement]:
        """Take each as far as it goes now; return those that are not over."""
        self._complete_all([s for s in settlements if s.row is None], each)
        self._forward([(s, s.row) for s in settlements if s.row and not s.forwarded and not s.over])
        ready = [s for s in settlements if s.forwarded and not s.over]
        for start in range(0, len(ready), MAX_BATCH_MESSAGES):
            attempt(partial(self._delete, ready[start : start + MAX_BATCH_MESSAGES]))
        return [s for s in settlements if not s.over]

    def _complete_all(self, settlements: Sequence[Settlement], each: Callable[..., Iterable[object]]) -> None:
        """Record bundles: those with tasks to retry one by one, the others together, once their values are stored."""
        waits = [
            (s, s.bundle, wait_before_retry_s(s.bundle.results, self.retry_backoff)) for s in settlements if s.bundle
        ]
        list(each(self._postpone, [(s, bundle, wait_s) for s, bundle, wait_s in waits if wait_s is not None]))
        ended = [(s, bundle) for s, bundle, wait_s in waits if wait_s is None]
        if len(ended) == 1:
            ((settlement, bundle),) = ended
            attempt(lambda: self._completed(settlement, bundle, self.result_writer.complete(bundle)), bundle.lease.key)
            return
        stored = [one for one, is_stored in zip(ended, each(self._store_values, ended), strict=True) if is_stored]
        if stored:
            rows = self.result_writer.complete_all([bundle for _, bundle in stored])
            for (settlement, bundle), row in zip(stored, rows, strict=True):
                self._completed(settlement, bundle, row)

    def _store_values(self, one: tuple[Settlement, InFlightBundle]) -> bool:
        _, bundle = one
        return attempt(lambda: self.result_writer.values.store_all(bundle), bundle.lease.key)

    def _completed(self, settlement: Settlement, bundle: InFlightBundle, row: BundleRow | CloudKonError | None) -> None:
        if isinstance(row, CloudKonError):
            log.warning("%s: %s Trying again.", bundle.lease.key, row)
        elif row is None:
            self._lost(settlement, bundle)
        else:
            settlement.row = row
            self.events.bundle_completed(row)

    def _lost(self, settlement: Settlement, bundle: InFlightBundle) -> None:
        settlement.over = True
        self.events.lease_lost(bundle)
        self.result_writer.say_alive(bundle)
        self.in_flight.discard(bundle)

    def _postpone(self, one: tuple[Settlement, InFlightBundle, float]) -> None:
        """Release the bundle, and let its message come back for the retries; no slot and no lease waits with it."""
        settlement, bundle, wait_s = one
        try:
            row = self.result_writer.postpone(bundle)
        except CloudKonError as error:
            log.warning("%s: %s Trying again.", bundle.lease.key, error)
            return
        if row is None:
            self._lost(settlement, bundle)
            return
        settlement.over = True
        self.in_flight.discard(bundle)  # first: no heartbeat may hide the message for longer
        if wait_s > _HIDDEN_AT_MOST_S and attempt(partial(self._send_later, bundle, wait_s)):
            attempt(partial(self.queue.delete, [settlement.receipt]))
        else:
            attempt(partial(self._hide, settlement.receipt, wait_s))

    def _send_later(self, bundle: InFlightBundle, wait_s: float) -> None:
        """Put a copy in the message's place, which is in flight no longer; if both stay, the claim tells them apart."""
        if self.queue.send_later([encode_bundle(bundle.message)], min(wait_s, MAX_DELAY_S)):
            raise UnavailableError("The queue did not take a message that is to come back.")

    def _hide(self, receipt: str, seconds: float) -> None:
        self.queue.hide([receipt], seconds)

    def _forward(self, told: Sequence[tuple[Settlement, BundleRow]]) -> None:
        with ExitStack() as steps:
            for settlement, _ in told:
                if settlement.bundle is not None:
                    steps.enter_context(settlement.bundle.step("forward"))
            taken = self.completions.tell([row for _, row in told])
        for position, (settlement, _) in enumerate(told):
            settlement.forwarded = position in taken

    def _delete(self, batch: Sequence[Settlement]) -> None:
        failed = set(self.queue.delete([settlement.receipt for settlement in batch]))
        for position, settlement in enumerate(batch):
            if position in failed:
                continue
            settlement.over = True
            if settlement.bundle is not None:
                self.in_flight.discard(settlement.bundle)
            if settlement.row is not None:
                self.events.bundle_settled(settlement.row.key.job)
