"""How much memory the decoding of one picture takes at its peak, for each kind of picture at the limit of pixels.

python -m bench.animoto.memory [SIDE] draws pictures of SIDE x SIDE (default: 8000), and decodes each in a process of
its own. The peak is above what the process holds before: the libraries, and the file.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from animoto.canvas import Canvas
from animoto.pictures import frame_of
from bench.children import run

_SIDE = 8_000
KINDS: dict[str, Callable[[Image.Image, Path], None]] = {
    "JPEG": lambda image, path: image.save(path, "JPEG"),
    "JPEG, full colours": lambda image, path: image.save(path, "JPEG", subsampling=0),
    "JPEG, progressive": lambda image, path: image.save(path, "JPEG", progressive=True),
    "JPEG, CMYK": lambda image, path: image.convert("CMYK").save(path, "JPEG"),
    "PNG": lambda image, path: image.save(path, "PNG", compress_level=1),
    "PNG, transparent": lambda image, path: image.convert("RGBA").save(path, "PNG", compress_level=1),
    "GIF": lambda image, path: image.quantize(64).save(path, "GIF"),
    "BMP": lambda image, path: image.save(path, "BMP"),
    "AVIF": lambda image, path: image.save(path, "AVIF", speed=10),
    "WebP": lambda image, path: image.save(path, "WEBP", method=0),
}


def peak_mb(path: Path) -> float:
    """How far decoding the file raises the peak of a new process [MB]."""
    return float(run([sys.executable, "-m", "bench.animoto.memory", str(path)], os.environ).stdout)


def draw(side: int) -> Image.Image:
    """A square in which no two rows are alike."""
    grey = Image.radial_gradient("L").resize((side, side))
    return Image.merge("RGB", [grey, grey.rotate(90), grey.rotate(180)])


def _decode(path: Path) -> None:
    """Print what the peak of this process rises by."""
    data, canvas = path.read_bytes(), Canvas()
    before = _high_water_mb()
    frame_of(data, canvas)
    print(_high_water_mb() - before)


def _high_water_mb() -> float:
    """Unlike getrusage's, this peak does not begin with that of the process which started this one."""
    [line] = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def main(argument: str = str(_SIDE)) -> None:
    if not argument.isdecimal():
        _decode(Path(argument))
        return
    image = draw(int(argument))
    with tempfile.TemporaryDirectory(prefix="bench-animoto-") as folder:
        for kind, save in KINDS.items():
            path = Path(folder, "picture")
            save(image, path)
            size_mb, peak = path.stat().st_size / 1e6, peak_mb(path)
            per_pixel = peak * 1e6 / (image.width * image.height)
            print(f"{kind:20} {size_mb:6.1f} MB  peak {peak:5.0f} MB, {per_pixel:4.1f} bytes a pixel", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
