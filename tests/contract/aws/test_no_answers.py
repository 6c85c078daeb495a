"""Answers that are none: whatever comes with a status of 200 and is not what the service says is tried again."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.queue import SqsQueue, queue_url
from cloudkon.aws.session import Session
from cloudkon.aws.store import S3Store
from cloudkon.clock import SystemClock
from cloudkon.errors import UnavailableError
from cloudkon.ledger.lease import lease_of
from tests.support.data.recorded import row
from tests.support.data.rows import ask, job

PAGE = b"<html><body><h1>Welcome to the hotel's network</h1></body></html>"
BODIES: dict[str, bytes] = {
    "junk": bytes(range(256)) * 4,
    "a page": PAGE,
    "a broken page": b"<!DOCTYPE html><p>Log in<br>",
    "a gzipped page": gzip.compress(PAGE),
    "a list": b"[]",
    "a number": b"17",
    "a text": b'"yes"',
    "an object of another kind": b'{"hello": {"Attributes": []}, "Attributes": 7, "Items": 3}',
    "half an answer": b'{"Attributes": {"sta',
}


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """A server that answers everything with this."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST  # noqa: N815 (http.server's names)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Ports:
    """The ports of a stage whose services all answer the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "y",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            monkeypatch.setenv(name, value)
        session, clock = Session(tries=1), SystemClock()
        self.sqs = session.sqs()
        self.queue = SqsQueue(self.sqs, f"{endpoint}/123456789012/tasks", clock)
        self.ledger = DynamoLedger(session.dynamodb(), "t", guard_ms=2_000, retention_s=9, clock=clock)
        self.store = S3Store(session.s3(), "bucket", clock)


Verb = Callable[[Ports], Any]
LEASE = lease_of(row([None]))
VERBS: dict[str, Verb] = {
    "look up a queue": lambda ports: queue_url(ports.sqs, "tasks"),
    "send": lambda ports: ports.queue.send(["a", "b"]),
    "receive": lambda ports: ports.queue.receive(1, 0.0, 1.0),
    "delete": lambda ports: ports.queue.delete(["a"]),
    "hide": lambda ports: ports.queue.hide(["a"], 1.0),
    "depth": lambda ports: ports.queue.approximate_depth(),
    "claim": lambda ports: ports.ledger.claim(ask()),
    "checkpoint": lambda ports: ports.ledger.checkpoint(LEASE, (None,), 1),
    "complete": lambda ports: ports.ledger.complete(LEASE, (None,), 1),
    "release": lambda ports: ports.ledger.release(LEASE, (None,)),
    "bundles": lambda ports: list(ports.ledger.bundles(job())),
    "job": lambda ports: ports.ledger.job("a"),
    "fleet": lambda ports: ports.ledger.fleet(0),
    "write": lambda ports: ports.store.write("a", b"x"),
    "upload": lambda ports: ports.store.upload("a", Path(__file__)),
}
SAYS_NOTHING = {
    # What is not there is told by an empty answer, and these two bodies look like one that has more to say.
    ("receive", "an object of another kind"),
    ("job", "an object of another kind"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("body", BODIES)
def test_what_is_no_answer_is_tried_again(monkeypatch: pytest.MonkeyPatch, body: str, verb: str) -> None:
    """The outcome is unknown: nothing is taken for done, for empty, or for a fault of our own."""
    if (verb, body) in SAYS_NOTHING:
        return
    with answering(BODIES[body]) as endpoint:
        ports = Ports(monkeypatch, endpoint)
        with pytest.raises(UnavailableError, match=r"^Could not "):
            VERBS[verb](ports)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"Successful": [{"Id": "0"}]},
        {"Successful": [{"Id": "0"}, {"Id": "0"}]},
        {"Successful": [{"Id": "0"}, {"Id": "2"}]},
        {"Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": False}]},
        {"Successful": [{"Id": "0"}, {"Id": "one"}]},
        {"Successful": [{}, {}]},
    ],
    ids=str,
)
def test_a_batch_whose_entries_are_not_all_accounted_for_is_sent_again(answer: dict[str, Any]) -> None:
    """An entry that is neither among the successful nor among the failed may not have been taken."""
    client: Any = Scripted(answer)
    queue = SqsQueue(client, "http://127.0.0.1/123456789012/tasks", SystemClock())
    with pytest.raises(UnavailableError):
        queue.send(["a", "b"])
    with pytest.raises(UnavailableError):
        queue.delete(["a", "b"])
    with pytest.raises(UnavailableError):
        queue.hide(["a", "b"], 1.0)


class Scripted:
    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer

    def __getattr__(self, _: str) -> Callable[..., Any]:
        return lambda **_: self._answer
