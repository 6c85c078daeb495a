"""Measure the video engine: CPU seconds, wall time, peak memory, bytes and likeness of 60 pictures of 1920x1080.

    python -m bench.animoto            three interleaved rounds
    python -m bench.animoto --rounds 1

The pictures lie in a folder: downloads are measured elsewhere. The floor decodes each picture and encodes it once,
and writes nothing. `ffmpeg` (if there is one) is the way of the original: a picture a second, no fades.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av import VideoFormat, VideoFrame
from av.filter import Graph
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from animoto.intra import encode_intra
from animoto.render import render
from animoto.video import Engine, Transition, VideoSpec

PICTURES, WIDTH, HEIGHT = 60, 1920, 1080


def draw(number: int, path: Path) -> None:
    """A picture with gradients, circles, noise of two kinds and its number; about half a megabyte."""
    dice = random.Random(number)
    slope = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    side = Image.linear_gradient("L").rotate(90).resize((WIDTH, HEIGHT))
    colours = Image.merge("HSV", (side.point(lambda v: (v // 3 + number * 37) % 256), slope, side)).convert("RGB")
    fine, coarse = (_noise(dice, factor) for factor in (2, 30))
    noise = Image.blend(fine.filter(ImageFilter.GaussianBlur(0.6)), coarse, 0.5)
    image = Image.blend(colours, Image.merge("RGB", [noise] * 3), 0.35)
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        place, radius = (dice.randrange(WIDTH), dice.randrange(HEIGHT)), dice.randrange(40, 300)
        pen.circle(place, radius, outline=dice.randrange(1 << 24), width=dice.randrange(2, 12))
    font = ImageFont.load_default(HEIGHT / 2)
    pen.text((WIDTH / 2, HEIGHT / 2), f"{number:02d}", "white", font, "mm", stroke_width=8, stroke_fill="black")
    image.save(path, "JPEG", quality=88, subsampling="4:2:0")


def _noise(dice: random.Random, factor: int) -> Image.Image:
    wide, high = WIDTH // factor, HEIGHT // factor
    return Image.frombytes("L", (wide, high), dice.randbytes(wide * high)).resize((WIDTH, HEIGHT))


def pictures(folder: Path) -> Iterator[VideoFrame]:
    for path in sorted(folder.glob("*.jpg")):
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
        yield frame.reformat(format="yuv420p", src_color_range="JPEG", dst_color_range="MPEG", threads=1)


def _floor(folder: Path, _out: Path) -> None:
    for picture in pictures(folder):
        encode_intra(picture, VideoSpec().qp)


def _ours(spec: VideoSpec) -> Callable[[Path, Path], None]:
    def make(folder: Path, out: Path) -> None:
        render(pictures(folder), spec, out)

    return make


def _original(folder: Path, out: Path) -> None:
    source = ["-loglevel", "error", "-framerate", "1", "-i", f"{folder}/%04d.jpg"]
    subprocess.run(["ffmpeg", "-y", *source, "-r", "30", "-pix_fmt", "yuv420p", str(out)], check=True)  # noqa: S607


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "floor": _floor,
    "fades, synthesised": _ours(VideoSpec()),
    "cuts, synthesised": _ours(VideoSpec(transition=Transition.CUT)),
    "fades, encoded": _ours(VideoSpec(engine=Engine.ENCODE)),
    "original (ffmpeg), cuts": _original,
}


@dataclass(frozen=True, slots=True)
class Run:
    wall_s: float
    cpu_s: float
    peak_mib: float


def measure(way: str, folder: Path, out: Path) -> Run:
    """One run in a process of its own; CPU and memory of its children count."""
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "bench.animoto", "--way", way, "--folder", folder, "--out", out])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{way} failed.")
    return Run(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def likeness(folder: Path, video: Path) -> tuple[int, list[float]]:
    """How many frames the video has, and the SSIM of brightness of each picture, a quarter of a second in."""
    graph, frames = Graph(), 0
    seen: list[float] = []
    yuv = VideoFormat("yuv420p")
    sides = [graph.add_buffer(width=WIDTH, height=HEIGHT, format=yuv, time_base=Fraction(1)) for _ in range(2)]
    compare, sink = graph.add("ssim"), graph.add("buffersink")
    for number, side in enumerate(sides):
        side.link_to(compare, 0, number)
    compare.link_to(sink)
    graph.configure()
    originals = pictures(folder)
    with av.open(str(video)) as container:
        for frames, frame in enumerate(container.decode(video=0), 1):
            if (frames - 1) % 30 == 7:
                frame.pts = len(seen)
                original = next(originals)
                original.pts = frame.pts
                sides[0].push(frame)
                sides[1].push(original)
                seen.append(float(sink.pull().metadata["lavfi.ssim.Y"]))
    return frames, seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        WAYS[asked.way](asked.folder, asked.out)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), asked.rounds)


def compare(folder: Path, rounds: int) -> None:
    for number in range(PICTURES):
        draw(number, folder / f"{number:04d}.jpg")
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{PICTURES} pictures of {WIDTH}x{HEIGHT}, {size / 1e6:.1f} MB; medians of {rounds} interleaved rounds")
    ways = [way for way in WAYS if shutil.which("ffmpeg") or way != "original (ffmpeg), cuts"]
    out = {way: folder / f"{number}.mp4" for number, way in enumerate(ways)}
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            runs[way].append(measure(way, folder, out[way]))
    floor = statistics.median(run.cpu_s for run in runs["floor"])
    print(print("way                       wall s   CPU s x floor    MiB     MB frames SSIM-Y mean, min"))
    for way in ways:
        wall, cpu, peak = (statistics.median(values) for values in zip(*map(_fields, runs[way]), strict=True))
        line = f"{way:24} {wall:7.2f} {cpu:7.2f} {cpu / floor:7.2f} {peak:6.0f}"
        if out[way].exists():
            frames, seen = likeness(folder, out[way])
            line += f" {out[way].stat().st_size / 1e6:6.1f} {frames:6} {statistics.mean(seen):10.4f} {min(seen):.4f}"
        print(line)


def _fields(run: Run) -> tuple[float, float, float]:
    return run.wall_s, run.cpu_s, run.peak_mib


if __name__ == "__main__":
    main()
