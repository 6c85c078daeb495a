"""Pictures and servers as they come: what our handler makes of each, and what plain ffmpeg does.

python -m bench.animoto.hostile FOLDER HTTP://HOST:PORT tries every case, and prints a line of JSON each. A case is the
second of three pictures.
"""

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import av
from PIL import Image

from bench.animoto.judging.likeness import as_shown, instants, thumbnail
from bench.animoto.ours import make
from bench.animoto.sources.pictures import draw
from cloudkon.errors import TaskFailedError
from cloudkon.handlers.deadline import deadline
from cloudkon.handlers.registry import Permanent

_SIZE = (1920, 1080)
_PATIENCE_S = 120.0
_DRIP, _DRIP_PATIENCE_S = "drip-byte.jpg", 6.0
_ALIKE_LEVELS = 8
"""How far two small copies of a picture may be apart, on average."""
CASES = {
    "good-plain.jpg": "nothing wrong",
    "cut.jpg": "cut off in its middle",
    "page.jpg": "a web page",
    "empty.jpg": "no bytes",
    "bytes.jpg": "bytes zeroed in its middle",
    "cmyk.jpg": "CMYK",
    "grey.jpg": "grey",
    "turned.jpg": "turned by EXIF",
    "odd.jpg": "641x479",
    "tall.jpg": "1080x1920",
    "large.jpg": "4000x3000",
    "see-through.jpg": "PNG with transparency, called .jpg",
    "webp.jpg": "WebP, called .jpg",
    "bomb.jpg": "PNG of 30,000x30,000",
    "missing.jpg": "404",
    "once-503.jpg": "503, once",
    "never-500.jpg": "500, always",
    "short-body.jpg": "half of what was announced",
    _DRIP: "a byte at a time",
    "private-target.jpg": "redirect to a private address",
}
_GOOD = ("once-503.jpg", "good-plain.jpg", "a.jpg", "b.jpg")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one case; frames of 90 that are right."""

    case: str
    ours: str
    ffmpeg: str


def write_cases(folder: Path) -> None:
    """The files of all cases that have one."""
    draw(0, folder / "drawn.jpg")
    with Image.open(folder / "drawn.jpg") as drawn:
        image = drawn.convert("RGB")
    good = _jpeg(image)
    for name in _GOOD:
        (folder / name).write_bytes(good)
    (folder / "cut.jpg").write_bytes(good[: len(good) // 2])
    (folder / "page.jpg").write_bytes(b"<!doctype html><title>Please log in</title>")
    (folder / "empty.jpg").write_bytes(b"")
    middle = len(good) // 2
    (folder / "bytes.jpg").write_bytes(good[:middle] + bytes(64) + good[middle + 64 :])
    (folder / "cmyk.jpg").write_bytes(_jpeg(image.convert("CMYK")))
    (folder / "grey.jpg").write_bytes(_jpeg(image.convert("L")))
    exif = Image.Exif()
    exif[0x0112] = 6
    (folder / "turned.jpg").write_bytes(_jpeg(image, exif=exif))
    for name, size in {"odd": (641, 479), "tall": (1080, 1920), "large": (4000, 3000)}.items():
        (folder / f"{name}.jpg").write_bytes(_jpeg(image.resize(size)))
    clear = image.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(_SIZE))
    clear.save(folder / "see-through.jpg", "PNG")
    image.save(folder / "webp.jpg", "WEBP")
    Image.new("1", (30_000, 30_000)).save(folder / "bomb.jpg", "PNG")
    (folder / "short-body.jpg").write_bytes(good[: len(good) // 2])


def _jpeg(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88, subsampling="4:2:0" if image.mode == "RGB" else -1, **options)
    return file.getvalue()


def outcome(case: str, folder: Path, base: str) -> Outcome:
    urls = [f"{base}/{name}" for name in ("a.jpg", case, "b.jpg")]
    patience_s = _DRIP_PATIENCE_S if case == _DRIP else _PATIENCE_S
    return Outcome(
        CASES[case], _ours(urls, folder, patience_s), _ffmpeg([f"{url}?again" for url in urls], folder, patience_s)
    )


def _ours(urls: list[str], folder: Path, patience_s: float) -> str:
    out = folder / "ours.mp4"
    out.unlink(missing_ok=True)
    try:
        with deadline(patience_s):
            make({"images": urls}, out)
    except (Permanent, TaskFailedError) as error:
        _, _, reason = str(error).partition(".jpg: ")
        return f"fails: {reason or error}"
    return f"{_frames(out)} frames"


def _ffmpeg(urls: list[str], folder: Path, patience_s: float) -> str:
    out = folder / "ffmpeg.mp4"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.animoto.peers.original", str(out), *urls]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        code = child.wait(patience_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return "never ends"
    told = f"exit {code}, {_frames(out)} frames"
    return told if _alike(out, folder / "ours.mp4") else f"{told}, of another look"


def _alike(one: Path, other: Path) -> bool:
    """Whether two videos show the case's picture alike; true unless both have it."""
    pairs = list(zip(_second(one), _second(other), strict=False))
    return sum(abs(a - b) for a, b in pairs) <= _ALIKE_LEVELS * len(pairs)


def _second(video: Path) -> bytes:
    frames = instants(video) if _frames(video) else iter(())
    return next((thumbnail(as_shown(frame)) for frame in islice(frames, 1, 2)), b"")


def _frames(video: Path) -> int:
    if not video.is_file() or not video.stat().st_size:
        return 0
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))


def main() -> None:
    folder, base = Path(sys.argv[1]), sys.argv[2]
    write_cases(folder)
    for case in CASES:
        print(json.dumps(asdict(outcome(case, folder, base))), flush=True)


if __name__ == "__main__":
    main()
