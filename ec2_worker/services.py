"""The services that a worker uses, and its name."""

import os
import secrets
import socket
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.messages.completions import Completions
from cloudkon.ports import InstanceGroup, Ledger, ObjectStore, TaskQueue, Tracer
from cloudkon.telemetry.emf import MetricLog
from cloudkon.telemetry.metering import Meter
from cloudkon.telemetry.tracing import NoTracer
from ec2_worker.lifecycle.imds import Metadata
from ec2_worker.pipeline.receiver import MAX_RECEIVES


def worker_name() -> str:
    """A name for this process only: a restarted worker must not be taken for the one that died."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything outside the worker that it talks to."""

    tasks: TaskQueue
    process: TaskQueue
    dead_letters: TaskQueue
    ledger: Ledger
    results: ObjectStore
    """Where tasks store their files."""
    clock: Clock
    meter: Meter = field(default_factory=Meter)
    metadata: Metadata | None = None
    """Of the EC2 instance, if this may be one."""
    instance_group: InstanceGroup | None = None
    """The group that the instance is in, if it may be in one."""
    tracer: Tracer = field(default_factory=NoTracer)
    metrics: MetricLog | None = None
    max_receives: int = MAX_RECEIVES
    """How often a message of the task queue may be received before it is moved to the dead letters."""
    parked: TaskQueue | None = None
    """Where messages of paused jobs rest; None where they are hidden instead."""
    completions: Completions | None = None
    """Who is told of completed bundles in the place of the process queue, within one process."""
    values: ObjectStore | None = None
    """The same store as results, with calls that end before a heartbeat is due; None where results answers at once."""
