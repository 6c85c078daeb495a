"""What the Lambda's two functions do: a workload of many ranges is dispatched by an invocation for each of them.

Each may run again at any point, and runs nothing twice.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cloudkon.backoff import Backoff
from cloudkon.errors import CloudKonError, NotFoundError, WireError
from cloudkon.ledger.job import Job, RangeKey, Source
from cloudkon.messages.sending import Sender
from cloudkon.messages.wire import decode_range, encode_range
from cloudkon.ports import Delivery, History, TaskQueue
from dispatcher.dispatch import Dispatcher
from dispatcher.events import sources

log = logging.getLogger(__name__)

# A range that could not be dispatched is tried again soon, not when the visibility of its message ends: that has to
# outlast the longest invocation by far. The tries together take in an outage of some minutes.
_AGAIN_S, _AGAIN_CAP_S = 10.0, 900.0


@dataclass(frozen=True, slots=True)
class Ingester:
    """Each of its verbs raises what the ports raise, and is then called again with the same event or message."""

    dispatcher: Dispatcher
    history: History
    ranges: TaskQueue
    bucket: str
    """Where workloads are dropped."""
    again: Backoff = field(default_factory=lambda: Backoff(_AGAIN_S, _AGAIN_CAP_S))

    def ingest_event(self, event: Mapping[str, Any], until_ms: int | None = None) -> Iterator[Job]:
        """Open and dispatch the job of each workload that an S3 event tells of, and yield it.

        A record that can't be read, or a workload that can't be dispatched, keeps no later one from it: the first error
        is raised after the last record.
        """
        errors: list[Exception] = []
        for source in sources(event, self.bucket):
            if isinstance(source, WireError):
                errors.append(source)
                continue
            try:
                job = self.ingest(source, until_ms)
            except Exception as error:
                log.exception("Not dispatched: %s", source)
                errors.append(error)
            else:
                yield job
        if errors:
            raise errors[0]

    def ingest(self, source: Source, until_ms: int | None = None) -> Job:
        """Open the source's job; dispatch its one range, or send a message for each range that is not dispatched."""
        before = self.dispatcher.meter.totals()
        job = self.dispatcher.open(source)
        if job.ranges == 1:
            self.dispatcher.dispatch(job, before, until_ms=until_ms)
            return job
        with Sender(self.ranges, self.dispatcher.clock, self.dispatcher.backoff) as sender:
            for number in self.dispatcher.missing(job):
                sender.put(encode_range(RangeKey(job.id, number)))
        return job

    def dispatch_message(self, delivery: Delivery, until_ms: int | None = None) -> RangeKey:
        """Dispatch the range that a message names, unless it has been; what fails comes again after a wait."""
        try:
            return self._dispatch(decode_range(delivery.body), until_ms)
        except Exception:
            with suppress(CloudKonError):  # then it comes when its visibility ends; what failed first is what matters
                self.ranges.hide([delivery.receipt], self.again.delay_s(delivery.receive_count))
            raise

    def _dispatch(self, key: RangeKey, until_ms: int | None) -> RangeKey:
        before = self.dispatcher.meter.totals()
        job = self.history.job(key.job)
        if job is None:
            raise NotFoundError(f"There is no job {key.job} in the ledger (any more): {key} can't be dispatched.")
        if key.number >= job.ranges:
            raise WireError(f"There is no {key}: it has {job.ranges:,} ranges.")
        if not self.dispatcher.jobs.is_dispatched(key):
            self.dispatcher.send_range(job, key.number, before, until_ms=until_ms)
        return key
