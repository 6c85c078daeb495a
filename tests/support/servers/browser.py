"""A real browser, without a window, that opens a video and says what it saw."""

import json
import os
import queue
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from tests.support.data.pixels import Rgb

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_PATIENCE_S = 120
QUIET = (
    "--headless=new",
    "--no-sandbox",  # it does not start as root otherwise, and opens nothing but our page
    "--no-first-run",
    "--mute-audio",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-crash-reporter",
    "--disable-breakpad",
    "--autoplay-policy=no-user-gesture-required",
    "--force-color-profile=srgb",
)
_PAGE = """<!doctype html><title>video</title><video muted playsinline></video><script>
const [times, places] = ASKED;
const video = document.querySelector("video");
const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
const pen = canvas.getContext("2d", {willReadFrequently: true});
const event = name => new Promise((resolve, reject) => {
  video.addEventListener(name, resolve, {once: true});
  video.addEventListener("error", () => reject(video.error.message), {once: true});
});
const colour = ([x, y]) => {
  pen.drawImage(video, x, y, 1, 1, 0, 0, 1, 1);
  return Array.from(pen.getImageData(0, 0, 1, 1).data.slice(0, 3));
};
async function look() {
  const loaded = event("loadeddata");
  video.src = "/video.mp4";
  await loaded;
  const told = {duration_s: video.duration, width: video.videoWidth, height: video.videoHeight, colours: []};
  await video.play();
  while (video.currentTime < 1.2) await event("timeupdate");
  video.pause();
  told.played_s = video.currentTime;
  for (const time of times) {
    const sought = event("seeked");
    // On a busy machine the frame before is still what is drawn when the seek is over.
    const drawn = new Promise(resolve => video.requestVideoFrameCallback(resolve));
    video.currentTime = time;
    await Promise.all([sought, drawn]);
    told.colours.push(places.map(colour));
  }
  told.error = video.error && video.error.message;
  return told;
}
look().catch(error => ({error: String(error)}))
  .then(told => fetch("/told", {method: "POST", body: JSON.stringify(told)}));
</script>"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the browser says of a video."""

    duration_s: float
    width: int
    height: int
    played_s: float
    """Where the video stood when it was paused."""
    colours: list[list[Rgb]]
    """After each seek, at each place."""


def watch(video: Path, folder: Path, times_s: Sequence[float], places: Sequence[tuple[int, int]]) -> Seen:
    """Play a video for a second, then seek; raises AssertionError with what the browser complains of."""
    asked = json.dumps([times_s, places])
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    with _served(video, _PAGE.replace("ASKED", asked), told) as url, _running(url, folder):
        found = told.get(timeout=_PATIENCE_S)
    assert not found.pop("error"), found
    found["colours"] = [[(r, g, b) for r, g, b in at] for at in found["colours"]]
    return Seen(**found)


@contextmanager
def _running(url: str, folder: Path) -> Iterator[None]:
    """The browser with a profile of its own; its processes are one group, and end together."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as short:  # it has a socket there: a longer name is too long
        yield from _started(url, folder, short)


def _started(url: str, folder: Path, temporary: str) -> Iterator[None]:
    assert PROGRAM is not None
    command = [PROGRAM, *QUIET, f"--user-data-dir={folder / 'profile'}", url]
    with (folder / "browser.log").open("wb") as log:
        browser = subprocess.Popen(
            command,
            env={**os.environ, "HOME": str(folder), "TMPDIR": temporary},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A browser that has seen enough of a range hangs up, and that is no error."""


@contextmanager
def _served(video: Path, page: str, told: "queue.Queue[dict[str, Any]]") -> Iterator[str]:
    """The page, the video in whatever ranges are asked for, and an ear for what the page says."""
    content = video.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/":
                self._send(200, "text/html", page.encode())
            elif self.path == "/video.mp4":
                asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-"))
                assert asked is not None
                first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
                self._send(206, "video/mp4", content[first : last + 1], f"bytes {first}-{last}/{len(content)}")
            else:
                self._send(404, "text/plain", b"")

        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._send(204, "text/plain", b"")

        def _send(self, status: int, kind: str, body: bytes, part: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if part is not None:
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Range", part)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
