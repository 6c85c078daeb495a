"""A proxy on loopback before the embedded cloud: turns requests away, and delays, cuts, garbles and loses answers."""

import json
import random
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from enum import StrEnum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import assert_never
from urllib.parse import urlsplit

_OF_THE_CONNECTION = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""Headers that the next hop writes anew."""
_PATIENCE_S = 30


class Fault(StrEnum):
    THROTTLED = "throttled"
    """Answered with the service's own throttling error; nothing was done."""
    UNAVAILABLE = "unavailable"
    """Answered with a plain 503; nothing was done."""
    LOST = "answers lost"
    """Done, and the connection is closed instead of an answer."""
    DELAYED = "delayed"
    """Done, after a wait."""
    CUT = "cut short"
    """Done, and the connection is closed in the middle of the answer."""
    GARBLED = "garbled"
    """Done, and answered with a success that holds bytes of no sense."""


# What a service says when it throttles: status, __type, and the code of SQS's older protocol.
_THROTTLING: Mapping[str, tuple[int, str, str]] = {
    "DynamoDB_20120810": (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", ""),
    "AmazonSQS": (403, "com.amazonaws.sqs#RequestThrottled", "RequestThrottled;Sender"),
}

SERVICES = {"DynamoDB_20120810": "DynamoDB", "AmazonSQS": "SQS"}
"""By the prefix of X-Amz-Target."""
STORE = ""
"""What has no such header is S3's."""
_DELAY_S = 1.0
DECK = 40
"""Of so many requests to a service, so many meet each fault, in an order that is drawn: no fault can fail to come."""


class BadRoad:
    """What befalls requests to SQS and DynamoDB while it is bad; all others pass unharmed."""

    def __init__(
        self, upstream: str, seed: int, of_each_deck: Mapping[Fault, int], services: Collection[str] = SERVICES
    ) -> None:
        self.bad = False
        self.seen: Counter[tuple[str, Fault | None]] = Counter()
        """Requests while it was bad, by service and fault."""
        self._upstream = urlsplit(upstream)
        self._of_each_deck = dict(of_each_deck)
        self._decks: dict[str, list[Fault | None]] = {service: [] for service in services}
        self._hurry = threading.Event()
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        road = self

        class Handler(_Traveller):
            def setup(self) -> None:
                super().setup()
                self.road = road

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def pause(self, seconds: float = _DELAY_S) -> None:
        """Wait, unless the road is closed meanwhile."""
        self._hurry.wait(seconds)

    def stop(self) -> None:
        self._hurry.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def connect(self) -> HTTPConnection:
        return HTTPConnection(self._upstream.hostname or "", self._upstream.port, timeout=_PATIENCE_S)

    def befall(self, service: str) -> Fault | None:
        """Draw what happens to a request from its service's deck, and count it."""
        with self._lock:
            if not self.bad or service not in self._decks:
                return None
            if not self._decks[service]:
                self._decks[service] = self._shuffled()
            fault = self._decks[service].pop()
            self.seen[service, fault] += 1
            return fault

    def _shuffled(self) -> list[Fault | None]:
        faults = [fault for fault, times in self._of_each_deck.items() for _ in range(times)]
        deck = [*faults, *[None] * (DECK - len(faults))]
        self._random.shuffle(deck)
        return deck

    def figures(self) -> dict[str, int]:
        """Requests and faults of each service, by what they are called in print."""
        seen = self.seen.items()
        return {f"{SERVICES.get(service, 'S3')} {fault or 'unharmed'}": count for (service, fault), count in seen}


class _Traveller(BaseHTTPRequestHandler):
    """One connection of a client; to the cloud each request takes a new one, which can't have been closed meanwhile."""

    road: BadRoad
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def travel(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service = self.headers.get("X-Amz-Target", "").partition(".")[0]
        match self.road.befall(service):
            case Fault.THROTTLED if service not in _THROTTLING:
                self._answer(503, {}, b"<Error><Code>SlowDown</Code><Message>The road is full.</Message></Error>")
            case Fault.THROTTLED:
                status, kind, query_error = _THROTTLING[service]
                said = json.dumps({"__type": kind, "message": "The road is full."}).encode()
                self._answer(status, {"x-amzn-query-error": query_error} if query_error else {}, said)
            case Fault.UNAVAILABLE:
                self._answer(503, {}, b"")
            case Fault.LOST:
                self._forward(body)
                self.close_connection = True
            case Fault.GARBLED:
                self._forward(body)
                self._answer(200, {}, b"\x80\xff{[<" * 20)
            case Fault.CUT:
                answer, said = self._forward(body)
                self._answer(answer.status, {}, said[: len(said) // 2], promised=len(said) + 1)
                self.close_connection = True
            case Fault.DELAYED | None as fault:
                if fault is not None:
                    self.road.pause()
                answer, said = self._forward(body)
                headers = {name: each for name, each in answer.getheaders() if name.lower() not in _OF_THE_CONNECTION}
                self._answer(answer.status, headers, said)
            case other:
                assert_never(other)

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = travel  # noqa: N815 (http.server's names)

    def _forward(self, body: bytes) -> tuple[HTTPResponse, bytes]:
        headers = {name: each for name, each in self.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        with closing(self.road.connect()) as cloud:
            cloud.request(self.command, self.path, body, headers)
            answer = cloud.getresponse()
            return answer, answer.read()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes, promised: int | None = None) -> None:
        self.send_response_only(status)
        for name, each in headers.items():
            self.send_header(name, each)
        self.send_header("Content-Length", str(len(body) if promised is None else promised))
        with suppress(ConnectionError):  # of a client that was killed meanwhile
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@contextmanager
def bad_road(
    upstream: str, seed: int, of_each_deck: Mapping[Fault, int], services: Collection[str] = SERVICES
) -> Iterator[BadRoad]:
    """Open one that is good at first."""
    road = BadRoad(upstream, seed, of_each_deck, services)
    road.start()
    try:
        yield road
    finally:
        road.stop()
