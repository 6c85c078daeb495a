"""Renews what is in flight: one thread owns the lease and the visibility of every bundle."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from cloudkon.backoff import attempt
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ports import MAX_BATCH_MESSAGES, TaskQueue
from cloudkon.settings import Settings
from ec2_worker.pipeline.events import WorkerEvents
from ec2_worker.pipeline.in_flight import InFlight, InFlightBundle, InFlightState
from ec2_worker.pipeline.result_writer import ResultWriter
from ec2_worker.telemetry.job_counters import JobCounters

log = logging.getLogger(__name__)

_TICKS_A_CHECKPOINT = 4
_REPORT_WHEN_IDLE_S = 1.0
"""A worker that has run out of work reports this soon: a job's last counters should not be late."""
_RENEWED = (InFlightState.RUNNING, InFlightState.SETTLING)
"""Also a bundle that waits for a slow ledger: whoever took it over would wait as long, and run it again."""


@dataclass(slots=True)
class Heartbeat:
    """By the clock: checkpoints, renewals of leases and visibility, and the worker's counters for each job."""

    queue: TaskQueue
    result_writer: ResultWriter
    in_flight: InFlight
    job_counters: JobCounters
    clock: Clock
    settings: Settings
    events: WorkerEvents

    @property
    def every_s(self) -> float:
        return self.settings.checkpoint_s / _TICKS_A_CHECKPOINT

    def tick(self) -> None:
        """Do everything that is due; what fails is due again at the next tick."""
        now_s = self.clock.monotonic_s()
        for bundle in self.in_flight.all():
            if bundle.state is InFlightState.LAPSED:
                attempt(partial(self.give_back, bundle))
            elif bundle.state in _RENEWED and self._save_due(bundle, now_s):
                attempt(partial(self._save, bundle))
        attempt(partial(self._extend, now_s))
        if self.job_counters.changed and now_s - self.job_counters.flushed_s >= self._report_every_s():
            attempt(self.job_counters.flush)

    def _save_due(self, bundle: InFlightBundle, now_s: float) -> bool:
        since_s = now_s - bundle.saved_s
        if since_s >= self.settings.heartbeat_s:
            return True
        if bundle.state is InFlightState.SETTLING and not self.result_writer.values.failure:
            return False  # its results are about to be written anyway
        return since_s >= self.settings.checkpoint_s and bundle.unsaved > len(bundle.left_out)

    def _save(self, bundle: InFlightBundle) -> None:
        row = self.result_writer.checkpoint(bundle)
        # A bundle that was settled meanwhile refuses the checkpoint too, and that is no loss.
        if row is None and bundle.state is InFlightState.RUNNING:
            self._lose(bundle)
        elif row is None:
            bundle.saved_s = self.clock.monotonic_s()  # the settler finds out which; no need to ask at every tick

    def mark(self, bundle: InFlightBundle) -> bool:
        """Write a careful bundle's mark down; False if it could not be."""
        self.result_writer.values.try_store(bundle)  # else what ran before would run again, and hide whose fault it is
        try:
            self._save(bundle)
        except CloudKonError as error:
            log.warning("%s: %s It is given back.", bundle.lease.key, error)
            return False
        return bundle.state is InFlightState.RUNNING

    def give_back(self, bundle: InFlightBundle) -> None:
        """Release a bundle with the results so far, for anyone to claim at once."""
        bundle.state = InFlightState.RETURNING  # no checkpoint and no heartbeat may follow the release
        try:
            row = self.result_writer.give_back(bundle)
        except CloudKonError:
            bundle.state = InFlightState.LAPSED
            raise
        if row is None:
            self._lose(bundle)
            return
        self.in_flight.discard(bundle)
        self.queue.hide([bundle.receipt], 0)

    def _lose(self, bundle: InFlightBundle) -> None:
        self.events.lease_lost(bundle)
        self.result_writer.say_alive(bundle)
        self.in_flight.discard(bundle)

    def _extend(self, now_s: float) -> None:
        """Hide the messages of all bundles in flight for another visibility timeout."""
        margin_s = self.settings.visibility_s - self.settings.heartbeat_s
        due = iter(
            bundle
            for bundle in self.in_flight.all()
            if bundle.state is not InFlightState.RETURNING and bundle.hidden_until_s - now_s <= margin_s
        )
        while batch := list(islice(due, MAX_BATCH_MESSAGES)):
            failed = set(self._hide([bundle.receipt for bundle in batch]))
            for position, bundle in enumerate(batch):
                if position not in failed:
                    bundle.hidden_until_s = now_s + self.settings.visibility_s

    def _hide(self, receipts: Sequence[str]) -> Sequence[int]:
        return self.queue.hide(receipts, self.settings.visibility_s)

    def _report_every_s(self) -> float:
        return self.settings.report_s if len(self.in_flight) else min(_REPORT_WHEN_IDLE_S, self.settings.report_s)
