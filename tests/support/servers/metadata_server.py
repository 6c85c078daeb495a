"""The EC2 instance metadata service on loopback, as strict about tokens as the real one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FACTS = {
    "instance-id": "i-0123456789abcdef0",
    "instance-type": "c7g.large",
    "placement/availability-zone": "eu-central-1a",
    "instance-life-cycle": "spot",
}
NOTICE = "spot/instance-action"
LIFECYCLE = "autoscaling/target-lifecycle-state"
REBALANCE = "events/recommendations/rebalance"


class MetadataServer:
    """What it answers, and what it was asked."""

    def __init__(self) -> None:
        self.answers = dict(FACTS)
        """By path below /latest/meta-data; everything else is 404."""
        self.status = 200
        """Of the answers there are; 0 hangs up instead."""
        self.tokens_given = 0
        self.valid: set[str] = set()
        self.gives_tokens = True
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
                if self.path != "/latest/api/token" or not 1 <= int(ttl or 0) <= 21_600 or not outer.gives_tokens:
                    self.answer(400 if outer.gives_tokens else 403, "")
                    return
                outer.tokens_given += 1
                token = f"token-{outer.tokens_given}=="
                outer.valid.add(token)
                self.answer(200, token)

            def do_GET(self) -> None:
                path = self.path.removeprefix("/latest/meta-data/")
                if self.headers.get("X-aws-ec2-metadata-token") not in outer.valid:
                    self.answer(401, "")
                    return
                outer.asked.append(path)
                if outer.status == 0:
                    self.close_connection = True
                    return
                found = path in outer.answers
                self.answer(outer.status if found else 404, outer.answers.get(path, ""))

            def answer(self, status: int, body: str) -> None:
                data = body.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def metadata_server() -> Iterator[MetadataServer]:
    server = MetadataServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
