"""A stage in AWS: its queues, its ledger and its buckets, each made when it is first asked for."""

from functools import cached_property
from typing import TYPE_CHECKING

from cloudkon.aws.function_events import FunctionEvents
from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.machines.instance_group import WorkerGroup
from cloudkon.aws.queue import SqsQueue, queue_url
from cloudkon.aws.session import Session
from cloudkon.aws.store import S3Store
from cloudkon.clock import Clock
from cloudkon.errors import NotFoundError
from cloudkon.settings import Settings
from cloudkon.stage.names import Names
from cloudkon.telemetry.metering import Meter

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class Cloud:
    """Safe to share between threads once what they share has been asked for."""

    def __init__(self, stage: str, settings: Settings, *, clock: Clock, session: Session | None = None) -> None:
        self.stage = stage
        self._settings = settings
        self._clock = clock
        self.session = session or Session()

    @property
    def meter(self) -> Meter:
        return self.session.meter

    @cached_property
    def names(self) -> Names:
        return self.session.names(self.stage)

    @cached_property
    def tasks(self) -> SqsQueue:
        return self.queue(self.names.task_queue)

    @cached_property
    def ranges(self) -> SqsQueue:
        return self.queue(self.names.range_queue)

    @cached_property
    def process(self) -> SqsQueue:
        return self.queue(self.names.process_queue)

    @cached_property
    def dead_letters(self) -> SqsQueue:
        return self.queue(self.names.dead_letter_queue)

    @cached_property
    def ingest(self) -> FunctionEvents:
        return FunctionEvents(self.session.functions(), self.names.functions[0])

    @cached_property
    def parked(self) -> SqsQueue | None:
        """None where the stack is of a version that had none: it comes with the next stack up."""
        try:
            return self.queue(self.names.parked_queue)
        except NotFoundError:
            return None

    def parked_in_flight(self) -> int:
        """About how many messages of paused jobs somebody holds, or held when it died."""
        return 0 if self.parked is None else self.parked.approximate_depth().in_flight

    def queue(self, name: str) -> SqsQueue:
        """Raises NotFoundError if there is no queue of this name."""
        return SqsQueue(self._sqs, queue_url(self._sqs, name), self._clock)

    @cached_property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(
            self.session.dynamodb(),
            self.names.ledger_table,
            guard_ms=self._settings.guard_ms,
            retention_s=self._settings.retention_s,
            clock=self._clock,
        )

    @cached_property
    def worker_group(self) -> WorkerGroup:
        return WorkerGroup(self.session.autoscaling(), self.names.worker_group)

    @cached_property
    def workloads(self) -> S3Store:
        return self.bucket(self.names.workloads_bucket)

    @cached_property
    def results(self) -> S3Store:
        return self.bucket(self.names.results_bucket)

    @cached_property
    def values(self) -> S3Store:
        """The results again, for the small things that are written before leases are renewed."""
        return S3Store(self.session.s3(prompt=True), self.names.results_bucket, self._clock)

    def bucket(self, name: str) -> S3Store:
        return S3Store(self._s3, name, self._clock)

    @cached_property
    def _sqs(self) -> "SQSClient":
        return self.session.sqs()

    @cached_property
    def _s3(self) -> "S3Client":
        return self.session.s3()
