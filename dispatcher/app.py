"""Lambda's side of the dispatcher: the only file that knows Chalice."""

import logging
import os
import sys
from functools import cache
from typing import Any

from chalice.app import Chalice, S3Event, SQSEvent

from cloudkon import wiring
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError
from cloudkon.printable import one_line
from cloudkon.settings import Settings
from cloudkon.stage.names import Names
from cloudkon.telemetry.tracing import TraceContext
from dispatcher.dispatch import Dispatcher
from dispatcher.events import deliveries
from dispatcher.ingest import Ingester

# With ingest this stays below 10, the least that an account may run at a time: a function that is throttled uses up
# its messages' receives. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
_RANGES_AT_ONCE = 8
_MARGIN_MS = 15_000
"""How long before Lambda ends a function it gives up, so that it can say why."""

app = Chalice(app_name="cloudkon")
app.log.setLevel(logging.INFO)
_clock = SystemClock()


def _names() -> Names:
    """The names of what is subscribed to: Chalice needs the account when it deploys, Lambda does not."""
    stage = wiring.stage_from(os.environ)
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        return Names(stage, account="", region="")
    return wiring.cloud(stage, Settings.from_environ(os.environ)).names


_NAMES = _names()


@cache
def _ingester() -> Ingester:
    """Make the ingester at a Lambda instance's first event, and keep it with its connections."""
    stage, settings = wiring.stage_from(os.environ), Settings.from_environ(os.environ)
    cloud, tracer = wiring.cloud(stage, settings), wiring.tracer(os.environ, stage, settings, _trace_around)
    metrics = wiring.metric_log(os.environ, stage, sys.stdout)
    dispatcher = Dispatcher(
        cloud.workloads,
        cloud.results,
        cloud.ledger,
        cloud.tasks,
        _clock,
        cloud.meter,
        tracer=tracer,
        metrics=metrics,
    )
    return Ingester(dispatcher, cloud.ledger, cloud.ranges, cloud.names.workloads_bucket)


def _trace_around() -> TraceContext | None:
    """The trace context that Lambda gives this invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return TraceContext.parse(os.environ.get("_X_AMZN_TRACE_ID"))


@app.on_s3_event(bucket=_NAMES.workloads_bucket, events=["s3:ObjectCreated:*"])
def ingest(event: S3Event) -> None:
    """Open the job of every workload that an event tells of; Lambda repeats the event if this raises."""
    for job in _ingester().ingest_event(event.to_dict(), _until_ms(event.context)):
        app.log.info("%s %s: %s", "dispatched" if job.ranges == 1 else "spread", job.id, job.source)


@app.on_sqs_message(queue=_NAMES.range_queue, batch_size=1, maximum_concurrency=_RANGES_AT_ONCE)
def dispatch_range(event: SQSEvent) -> None:
    """Dispatch the range that a message names; if this raises, the message comes again."""
    for delivery in deliveries(event.to_dict(), _clock.now_ms()):
        try:
            key = _ingester().dispatch_message(delivery, _until_ms(event.context))
        except CloudKonError as error:
            app.log.error("receive %d of %s: %s", delivery.receive_count, one_line(delivery.body), error)  # noqa: TRY400
            raise
        app.log.info("dispatched %s", key)


def _until_ms(context: Any) -> int:
    return _clock.now_ms() + int(context.get_remaining_time_in_millis()) - _MARGIN_MS
