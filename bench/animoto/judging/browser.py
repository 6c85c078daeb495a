"""How far a browser's colours are from the picture's: our video, opened in headless Chromium.

python -m bench.animoto.judging.browser prints the largest difference of 255 for each colour of a chart.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from urllib.parse import unquote

from PIL import Image, ImageDraw

from bench.animoto.ours import make

_PATIENCE_S = 120
COLOURS = (
    *("red", "lime", "blue", "yellow", "cyan", "magenta", "white", "black", "gray"),
    *("#c89678", "#3c5a28", "#1e3c78", "#faf0c8", "#5a143c", "#101010", "#404040"),
)
_COLUMNS, _ROWS, _TILE = 4, 4, (480, 270)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_PAGE = """<!doctype html><body><video id=v muted></video><script>
const v = document.getElementById('v')
fetch('video.mp4').then(r => r.blob()).then(b => { v.src = URL.createObjectURL(b); v.currentTime = 0.25 })
v.onseeked = () => {
  const c = document.createElement('canvas'); c.width = 1920; c.height = 1080
  const g = c.getContext('2d'); g.drawImage(v, 0, 0)
  const seen = []
  for (let y = 135; y < 1080; y += 270) for (let x = 240; x < 1920; x += 480)
    seen.push([...g.getImageData(x, y, 1, 1).data.slice(0, 3)])
  fetch('seen?' + JSON.stringify(seen))
}
</script>"""


def browser() -> str | None:
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def chart() -> Image.Image:
    image = Image.new("RGB", (_COLUMNS * _TILE[0], _ROWS * _TILE[1]))
    pen = ImageDraw.Draw(image)
    for number, colour in enumerate(COLOURS):
        x, y = number % _COLUMNS * _TILE[0], number // _COLUMNS * _TILE[1]
        pen.rectangle((x, y, x + _TILE[0], y + _TILE[1]), colour)
    return image


class _Site(SimpleHTTPRequestHandler):
    """The files of a folder, and a place to tell what was seen."""

    told: "Queue[str]"

    def do_GET(self) -> None:
        path, _, query = unquote(self.path).partition("?")
        if path == "/seen":
            self.told.put(query)
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _site(folder: Path) -> Iterator[tuple[str, "Queue[str]"]]:
    told: Queue[str] = Queue()
    kind = type("Site", (_Site,), {"told": told})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(kind, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", told
        finally:
            server.shutdown()
            thread.join()


def errors(folder: Path, program: str) -> list[int]:
    """Of each colour, the largest difference of its three parts in the JPEG and as the browser shows the video."""
    chart().save(folder / "chart.jpg", "JPEG", quality=95)
    (folder / "index.html").write_text(_PAGE)
    with _site(folder) as (base, told):
        make({"images": [f"{base}/chart.jpg"]}, folder / "video.mp4")
        profile = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
        with subprocess.Popen(
            [program, *profile, "--remote-debugging-port=0", f"{base}/index.html"], stderr=subprocess.DEVNULL
        ) as child:
            try:
                seen = json.loads(told.get(timeout=_PATIENCE_S))
            finally:
                child.terminate()
    with Image.open(folder / "chart.jpg") as picture:
        small = picture.resize((_COLUMNS, _ROWS), Image.Resampling.NEAREST).convert("RGB").tobytes()
    meant = [small[at : at + 3] for at in range(0, len(small), 3)]
    return [max(abs(a - b) for a, b in zip(one, other, strict=True)) for one, other in zip(seen, meant, strict=True)]


def main() -> int:
    program = browser()
    if program is None:
        print("There is no Chromium (Debian: apt-get install chromium).", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="bench-animoto-", ignore_cleanup_errors=True) as folder:
        print(json.dumps(errors(Path(folder), program)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
