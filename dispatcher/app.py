"""Lambda's side of the dispatcher: the only file that knows Chalice."""

import logging
import os

from chalice.app import Chalice, S3Event

from cloudkon.aws.session import Session
from cloudkon.job import Source, job_id
from cloudkon.names import DEFAULT_STAGE
from dispatcher.events import sources

app = Chalice(app_name="cloudkon")
app.log.setLevel(logging.INFO)


def _workloads_bucket() -> str:
    """The bucket to subscribe to: asked for where chalice deploys; in Lambda nobody needs it."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        return ""
    return Session().names(os.environ.get("CLOUDKON_STAGE", DEFAULT_STAGE)).workloads_bucket


@app.on_s3_event(bucket=_workloads_bucket(), events=["s3:ObjectCreated:*"])
def ingest(event: S3Event) -> None:
    """Dispatch every workload that an event tells of; Lambda repeats the event if this raises."""
    for source in sources(event.to_dict()):
        _dispatch(source)


def _dispatch(source: Source) -> None:
    app.log.info("ingest %s of %s", job_id(source.bucket, source.key, source.version), source)
