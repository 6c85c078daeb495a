"""Celery over SQS: python -m bench.peers.programs.on_celery send TASKS QUEUE | work SLOTS QUEUE."""

import os
import sys
from urllib.parse import urlsplit

from celery import Celery

from bench.peers.work import mark

_, _act, _number, _queue = sys.argv
_where = urlsplit(os.environ["AWS_ENDPOINT_URL"])
app = Celery("bench", broker=f"sqs://test:test@{_where.hostname}:{_where.port}//")
app.conf.update(
    broker_transport_options={"region": "us-east-1", "is_secure": False, "wait_time_seconds": 20},
    task_acks_late=True,  # else a task is lost with its worker, and the work would not be the same
    task_default_queue=_queue,
    task_ignore_result=True,
    worker_hijack_root_logger=False,
)
task = app.task(name="mark")(mark)


def main() -> None:
    if _act == "send":
        for _ in range(int(_number)):
            task.delay()
    else:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR")
        app.worker_main(["worker", "--pool", "threads", "--concurrency", _number, *quiet])


if __name__ == "__main__":
    main()
