"""What takes traces, on loopback: an X-Ray daemon and an OpenTelemetry collector."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_ROOM_BYTES = 4 * 1024 * 1024


class XRayDaemon:
    """Where datagrams arrive; what was sent to it over loopback is there at once."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM_BYTES)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._taken: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def documents(self) -> list[dict[str, Any]]:
        """All documents so far, in order; fails for what is no document of 64 KB at most, as the daemon would."""
        while (datagram := self._receive()) is not None:
            header, _, body = datagram.partition(b"\n")
            assert json.loads(header) == {"format": "json", "version": 1}
            assert len(body) <= 64_000
            self._taken.append(json.loads(body))
        return self._taken

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recv(65_536)
        except BlockingIOError:
            return None

    def close(self) -> None:
        self._socket.close()


@contextmanager
def xray_daemon() -> Iterator[XRayDaemon]:
    daemon = XRayDaemon()
    try:
        yield daemon
    finally:
        daemon.close()


class Collector:
    """What it was sent."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[tuple[str, Any]]:
        """Every span with the name of the service that told it."""
        return [
            (part.resource.attributes[0].value.string_value, span)
            for request in self.requests
            for part in request.resource_spans
            for scope in part.scope_spans
            for span in scope.spans
        ]


@contextmanager
def collector() -> Iterator[Collector]:
    """Serve until the block ends."""
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()
