"""Says whether this machine can be a worker: what an image has to prove before it is one.

Nothing of AWS is asked: the instance that proves itself may not yet be told whose worker it will be.
"""

import importlib
import shutil
import ssl
import struct
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.handlers import context
from cloudkon.handlers.context import Context
from cloudkon.handlers.registry import Registry
from cloudkon.ledger.bundle import BundleKey
from cloudkon.settings import Settings
from cloudkon.stage.checkup import CheckResult, check_python, ok, problem


def check(registry: Registry, settings: Settings, clock: Clock) -> Iterator[CheckResult]:
    """Check one thing after the other; what raises is a finding too."""
    checks: Sequence[tuple[str, Callable[[], str]]] = (
        ("tasks", lambda: ", ".join(registry.names)),
        ("disk", lambda: _disk(settings)),
        ("certificates", _certificates),
        ("clock", lambda: _clock(clock)),
        ("video", lambda: _video(registry)),
    )
    yield check_python()
    for name, look in checks:
        try:
            yield ok(name, look())
        except Exception as error:  # noqa: BLE001 (whatever a broken machine comes up with)
            said = str(error) if isinstance(error, CloudKonError) else f"{type(error).__name__}: {error}"
            yield problem(name, said)


def _disk(settings: Settings) -> str:
    folder = tempfile.gettempdir()
    with tempfile.TemporaryFile() as file:
        file.write(b"written")
    free_mb = shutil.disk_usage(folder).free / 1e6
    if free_mb < settings.free_disk_mb:
        raise CloudKonError(f"{free_mb:,.0f} MB are free in {folder}, and {settings.free_disk_mb} MB are the least.")
    return f"{free_mb:,.0f} MB are free in {folder}"


def _certificates() -> str:
    """What pictures are fetched with: an installation without the system's certificates trusts no server."""
    trusted = ssl.create_default_context().cert_store_stats()["x509_ca"]
    if not trusted:
        raise CloudKonError("there are none: no picture can be fetched by https. Install ca-certificates.")
    return f"{trusted} authorities are trusted"


def _clock(clock: Clock) -> str:
    """A clock that stands before the installation itself is wrong; AWS refuses what is signed by such a clock."""
    installed_s = Path(__file__).stat().st_mtime
    if clock.now_ms() / 1000 < installed_s:
        raise CloudKonError("it is behind the time at which this program was installed. Is it synchronised?")
    return "after the installation"


def _video(registry: Registry) -> str:
    """Make a video of two pictures, the whole way from their server to the store."""
    if "animoto" not in registry.names:
        raise CloudKonError("this worker can't make any: pip install cloudkon[animoto]")
    made = importlib.import_module("animoto.task").handler("127.0.0.0/8", width=160, height=90)
    store = _Kept()
    with _pictures() as address:
        token = context.enter(Context(BundleKey("selftest", 0, 0), 1, 0, store))
        try:
            made(*(f"{address}/{number}.png" for number in range(len(_COLOURS))), seconds=0.2)
        finally:
            context.leave(token)
    return f"{store.sizes['video.mp4']:,} bytes, of {len(_COLOURS)} pictures"


class _Kept:
    """A store of one video: only how large what it got was is of interest."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}

    def write(self, key: str, data: bytes) -> None:
        self.sizes[Path(key).name] = len(data)

    def upload(self, key: str, source: Path) -> str | None:
        self.write(key, source.read_bytes())
        return None

    def size_bytes(self, key: str, version: str | None = None) -> int:
        raise NotImplementedError

    def read(self, key: str, version: str | None = None, start: int = 0) -> Iterator[bytes]:
        raise NotImplementedError

    def link(self, key: str, valid_s: int | None = None) -> str:
        raise NotImplementedError


_COLOURS = (b"\xd0\x20\x20", b"\x20\x20\xd0")


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        picture = _png(_COLOURS[int(Path(self.path).stem)], 160, 90)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(picture)))
        self.end_headers()
        self.wfile.write(picture)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
        """Say nothing: the findings are all that is to be read."""


@contextmanager
def _pictures() -> Iterator[str]:
    """Serve the pictures on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _png(colour: bytes, width: int, height: int) -> bytes:
    """A picture of one colour (https://www.w3.org/TR/png-3/), made without the library that is to be proved."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = (b"\0" + colour * width) * height
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
