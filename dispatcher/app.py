"""Lambda's side of the dispatcher: the only file that knows Chalice."""

import logging
import os
import sys
from functools import cache

from chalice.app import Chalice, S3Event

from cloudkon import wiring
from cloudkon.clock import SystemClock
from cloudkon.settings import Settings
from cloudkon.tracing import Place
from dispatcher.events import sources
from dispatcher.ingest import Dispatcher

app = Chalice(app_name="cloudkon")
app.log.setLevel(logging.INFO)


def _workloads_bucket() -> str:
    """The bucket to subscribe to: asked for where chalice deploys; in Lambda nobody needs it."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        return ""
    return wiring.cloud(wiring.stage_from(os.environ), Settings.from_environ(os.environ)).names.workloads_bucket


@cache
def _dispatcher() -> Dispatcher:
    """Made with a Lambda instance's first event, and kept: its connections are worth keeping."""
    stage, settings = wiring.stage_from(os.environ), Settings.from_environ(os.environ)
    cloud, tracer = wiring.cloud(stage, settings), wiring.tracer(os.environ, stage, settings, _trace_around)
    metrics = wiring.metric_log(os.environ, stage, sys.stdout)
    return Dispatcher(
        cloud.workloads,
        cloud.results,
        cloud.ledger,
        cloud.tasks,
        SystemClock(),
        cloud.meter,
        tracer=tracer,
        metrics=metrics,
    )


def _trace_around() -> Place | None:
    """What Lambda says of the trace that this invocation belongs to.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return Place.parse(os.environ.get("_X_AMZN_TRACE_ID"))


@app.on_s3_event(bucket=_workloads_bucket(), events=["s3:ObjectCreated:*"])
def ingest(event: S3Event) -> None:
    """Dispatch every workload that an event tells of; Lambda repeats the event if this raises."""
    for source in sources(event.to_dict()):
        job = _dispatcher().ingest(source)
        app.log.info("dispatched %s: %s", job.id, job.source)
