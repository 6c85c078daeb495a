"""Puts a worker together: the one place that says which part uses which."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from cloudkon import wiring
from cloudkon.clock import Clock
from cloudkon.handlers.registry import Registry
from cloudkon.messages.completions import QueuedCompletions
from cloudkon.settings import Settings
from cloudkon.telemetry.metering import RecentCounts
from ec2_worker.health.breaker import Breaker
from ec2_worker.health.failure_limit import FailureLimit
from ec2_worker.health.fleet_status import FleetStatus
from ec2_worker.health.health import Health
from ec2_worker.health.monitor import Counts, Monitor
from ec2_worker.lifecycle.drain import Drain
from ec2_worker.lifecycle.imds import Metadata, metadata_endpoint
from ec2_worker.lifecycle.scale_in_protection import ScaleInProtection
from ec2_worker.lifecycle.shutdown import Shutdown
from ec2_worker.lifecycle.termination_watch import TerminationWatch
from ec2_worker.lifecycle.threads import Threads
from ec2_worker.lifecycle.watchdog import Watchdog
from ec2_worker.observers import Observers
from ec2_worker.pipeline.admission import Admission
from ec2_worker.pipeline.backlog import Backlog
from ec2_worker.pipeline.canceller import Canceller
from ec2_worker.pipeline.claimer import Claimer
from ec2_worker.pipeline.heartbeat import Heartbeat
from ec2_worker.pipeline.in_flight import InFlight
from ec2_worker.pipeline.receiver import MAX_RECEIVES, Receiver
from ec2_worker.pipeline.result_writer import ResultWriter
from ec2_worker.pipeline.settler import Settler
from ec2_worker.pipeline.slots import Slots
from ec2_worker.pipeline.task_runner import TaskRunner
from ec2_worker.pipeline.timeouts import Timeouts
from ec2_worker.pipeline.value_store import ValueStore
from ec2_worker.services import Services
from ec2_worker.telemetry.job_counters import JobCounters
from ec2_worker.telemetry.metrics import Metrics
from ec2_worker.telemetry.traces import Traces
from ec2_worker.worker import Worker

if TYPE_CHECKING:
    from cloudkon.aws.cloud import Cloud


def aws_services(
    cloud: "Cloud", environ: Mapping[str, str], settings: Settings, clock: Clock, source: str | None, metrics_to: TextIO
) -> Services:
    """What a worker of a stage uses; source names another queue of tasks. Raises InputError for bad variables."""
    endpoint = metadata_endpoint(environ)
    tasks = cloud.queue(source) if source else cloud.tasks
    return Services(
        tasks=tasks,
        process=cloud.process,
        dead_letters=cloud.dead_letters,
        parked=cloud.parked,
        ledger=cloud.ledger,
        results=cloud.results,
        clock=clock,
        meter=cloud.meter,
        metadata=None if endpoint is None else Metadata(endpoint, clock),
        instance_group=cloud.worker_group,
        tracer=wiring.tracer(environ, cloud.stage, settings),
        values=cloud.values,
        metrics=wiring.metric_log(environ, cloud.stage, metrics_to),
        max_receives=tasks.max_receives() or MAX_RECEIVES,
    )


def build(
    services: Services, registry: Registry, settings: Settings, *, name: str, slots: int, supervised: bool = False
) -> Worker:
    """Put a worker of so many slots together; supervised tells whether a supervisor would replace it."""
    return _Assembly(services, registry, settings, name, slots).worker(supervised=supervised)


@dataclass(slots=True)
class _Assembly:
    """The parts that several others share."""

    services: Services
    registry: Registry
    settings: Settings
    name: str
    slots: int
    in_flight: InFlight = field(default_factory=InFlight)
    timeouts: Timeouts = field(init=False)
    threads: Threads = field(default_factory=Threads)
    sick: threading.Event = field(default_factory=threading.Event)
    drain: Drain = field(init=False)
    backlog: Backlog = field(init=False)
    admission: Admission = field(init=False)
    job_counters: JobCounters = field(init=False)
    metrics: Metrics = field(init=False)
    values: ValueStore = field(init=False)

    def __post_init__(self) -> None:
        services, settings, clock = self.services, self.settings, self.services.clock
        self.values = ValueStore(services.values or services.results, self.in_flight, clock, settings)
        self.drain = Drain(clock, settings.drain_s)
        self.timeouts = Timeouts(settings.overrun_grace_s)
        self.backlog = Backlog(self.slots, settings.backlog_s)
        self.admission = Admission(services.tasks, services.ledger, clock, services.parked)
        self.job_counters = JobCounters(services.ledger, self.name, self.slots, services.meter, clock)
        self.metrics = Metrics(
            services.metrics,
            clock,
            self.name,
            self.slots,
            settings.metrics_s,
            busy=lambda: self.backlog.busy,
            is_sick=self.sick.is_set,
        )

    def worker(self, *, supervised: bool) -> Worker:
        services, settings, clock = self.services, self.settings, self.services.clock
        termination_watch = self._termination_watch()
        self.job_counters.instance = lambda: termination_watch.instance if termination_watch else None
        monitor = self._monitor()
        breaker = Breaker(services.ledger, clock, settings.breaker_tasks, self.admission)
        limit = self._failure_limit()
        events = Observers(self.backlog, monitor, breaker, self.metrics, self.job_counters, limit)
        writer = ResultWriter(services.ledger, self.values, clock, settings)
        completions = services.completions or QueuedCompletions(services.process)
        settler = Settler(services.tasks, completions, writer, self.in_flight, events, clock, settings)
        heartbeat = Heartbeat(services.tasks, writer, self.in_flight, self.job_counters, clock, settings, events)
        runner = TaskRunner(self.registry, clock, settings, self.timeouts, services.results)
        slots = Slots(self.backlog, runner, heartbeat, settler, events, clock, settings)
        return Worker(
            settings=settings,
            slot_count=self.slots,
            admission=self.admission,
            receiver=self._receiver(settler, events),
            backlog=self.backlog,
            in_flight=self.in_flight,
            slots=slots,
            heartbeat=heartbeat,
            settler=settler,
            values=self.values,
            canceller=Canceller(self.admission, self.in_flight, heartbeat, settings.cancel_s),
            failure_limit=limit,
            watchdog=Watchdog(self.timeouts, slots, self.threads, self.drain, clock, heartbeat.every_s, supervised),
            monitor=monitor,
            termination_watch=termination_watch,
            threads=self.threads,
            draining=self.drain,
            shutdown=self._shutdown(heartbeat, settler, monitor, termination_watch),
        )

    def _failure_limit(self) -> FailureLimit:
        services, settings = self.services, self.settings
        return FailureLimit(
            services.ledger,
            services.clock,
            self.name,
            self.admission,
            self.in_flight,
            self.job_counters,
            every_s=settings.cancel_s,
            report_s=settings.report_s,
        )

    def _receiver(self, settler: Settler, events: Observers) -> Receiver:
        services = self.services
        return Receiver(
            services.tasks,
            services.dead_letters,
            services.ledger,
            Claimer(services.ledger, services.clock, self.settings, self.name),
            self.admission,
            self.backlog,
            self.in_flight,
            settler,
            events,
            services.clock,
            self.settings,
            # At 1 nothing helps: whatever is received a second time is a dead letter.
            replace_at_receives=max(2, services.max_receives // 2),
            traces=Traces(services.tracer, self.name),
            stopping=self.drain.begun,
            sick=self.sick,
        )

    def _termination_watch(self) -> TerminationWatch | None:
        services, clock = self.services, self.services.clock
        if services.metadata is None:
            return None
        protection = None
        if services.instance_group is not None:
            protection = ScaleInProtection(services.instance_group, clock, self.in_flight, self.settings.lull_s)
        return TerminationWatch(services.metadata, clock, self.drain, protection)

    def _monitor(self) -> Monitor:
        services, clock, counts = self.services, self.services.clock, Counts()
        fleet_status = FleetStatus(
            services.ledger,
            clock,
            self.name,
            self.slots,
            self.settings.status_s,
            busy=lambda: self.backlog.busy,
            counts=counts.now,
            instance=self.job_counters.instance,
            throttled=RecentCounts(services.meter.throttled, clock).look,
        )
        return Monitor(
            fleet_status,
            Health(self.settings),
            clock,
            self.sick,
            self.metrics,
            self.in_flight,
            self.values,
            draining=lambda: self.drain.reason if self.drain.begun.is_set() else None,
            drain=lambda reason: self.drain.within(self.settings.drain_s, reason),
            counts=counts,
        )

    def _shutdown(
        self, heartbeat: Heartbeat, settler: Settler, monitor: Monitor, termination_watch: TerminationWatch | None
    ) -> Shutdown:
        return Shutdown(
            self.drain,
            self.threads,
            self.backlog,
            self.in_flight,
            heartbeat,
            settler,
            self.job_counters,
            monitor,
            termination_watch,
            self.settings.poll_s,
        )
