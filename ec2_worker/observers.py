"""Keeps estimates, health, metrics and counters up to date with what happens to bundles."""

import logging
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cloudkon.ledger.lease import BundleRow
from ec2_worker.health.breaker import Breaker
from ec2_worker.health.failure_limit import FailureLimit
from ec2_worker.health.monitor import Monitor
from ec2_worker.pipeline.backlog import Backlog
from ec2_worker.pipeline.in_flight import InFlightBundle
from ec2_worker.telemetry.job_counters import JobCounters
from ec2_worker.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Observers:
    """Implements WorkerEvents."""

    backlog: Backlog
    monitor: Monitor
    breaker: Breaker
    metrics: Metrics
    job_counters: JobCounters
    failure_limit: FailureLimit

    def bundle_claimed(self, job: str) -> None:
        self.job_counters.claimed(job)

    def duplicate_dropped(self, job: str) -> None:
        self.job_counters.dropped_duplicate(job)

    def slot_running(self, job: str) -> AbstractContextManager[None]:
        return self.job_counters.slot_times.running(job)

    def task_failed(self, job: str) -> None:
        self.failure_limit.task_failed(job)

    def bundle_ended(self, bundle: InFlightBundle) -> None:
        self.backlog.measured(bundle)
        self.monitor.ended(bundle)
        self.job_counters.learnt_times.ended(bundle.message.tasks, bundle.results)

    def bundle_completed(self, row: BundleRow) -> None:
        self.breaker.completed(row)
        self.metrics.completed(row)

    def bundle_settled(self, job: str) -> None:
        self.job_counters.settled(job)

    def lease_lost(self, bundle: InFlightBundle) -> None:
        log.warning("%s: another worker has taken over.", bundle.lease.key)
        self.job_counters.lost_lease(bundle.lease.key.job, bundle.unsaved)
        self.metrics.lost_lease()
        if (trace := bundle.trace) is not None:
            trace.error = "another worker has taken over"
