"""Pictures on loopback, for videos that are made on this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cli.system.environment import HOST
from ec2_worker.handlers import PICTURE_NETWORKS_VARIABLE

WORKER_SETTINGS = {PICTURE_NETWORKS_VARIABLE: "127.0.0.0/8", "CLOUDKON_POLL_S": "1"}
"""For workers whose pictures come from a gallery; who is told to stop ends its receive first, which is short here."""
Pictures = Callable[[str], bytes | None]
"""The JPEG file of a name; None if there is none. Asked from many threads."""


@contextmanager
def gallery(pictures: Pictures) -> Iterator[str]:
    """Serve pictures on a free port; yields the URL before their names."""
    with _Server((HOST, 0), _handler(pictures)) as server:
        thread = Thread(target=server.serve_forever, name="gallery", daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    """Connections that wait: each video opens 16 at once."""


def _handler(pictures: Pictures) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept
        disable_nagle_algorithm = True  # the last piece of a picture waits for nothing

        def do_GET(self) -> None:
            body = pictures(self.path.removeprefix("/"))
            self.send_response(HTTPStatus.NOT_FOUND if body is None else HTTPStatus.OK)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            """Nobody wants to know."""

    return Handler
