"""What a worker is given: a name, and what it works on."""

import os
import secrets
import socket
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.ports import InstanceGroup, Ledger, ObjectStore, TaskQueue, Tracer
from cloudkon.telemetry.emf import MetricLog
from cloudkon.telemetry.metering import Meter
from cloudkon.telemetry.tracing import NoTracer
from ec2_worker.lifecycle.imds import Metadata


def worker_name() -> str:
    """A name of this process alone: a restarted worker must not be taken for the one that died."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker works on."""

    tasks: TaskQueue
    process: TaskQueue
    dead_letters: TaskQueue
    ledger: Ledger
    results: ObjectStore
    """Where tasks leave their files."""
    clock: Clock
    meter: Meter = field(default_factory=Meter)
    metadata: Metadata | None = None
    """Of the EC2 instance, if this may be one."""
    shelter: InstanceGroup | None = None
    """The group that the instance is in, if it may be in one."""
    tracer: Tracer = field(default_factory=NoTracer)
    metrics: MetricLog | None = None
    values: ObjectStore | None = None
    """The results again, by calls that end before a heartbeat is due; None where results itself answers at once."""
