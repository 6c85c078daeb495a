"""The command of ffmpeg that fades a list of pictures into each other by its filter xfade."""

from collections.abc import Sequence
from pathlib import Path

FADE_S = 0.5


def command(pictures: Sequence[Path], preset: str, out: Path) -> list[str]:
    """Each picture stands for a second, of which the last half fades into the next."""
    inputs: list[str] = []
    for number, path in enumerate(pictures):
        length_s = 1 + FADE_S if number else 1
        inputs += ["-framerate", "30", "-loop", "1", "-t", str(length_s), "-i", str(path)]
    target = ["-preset", preset, "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(out)]
    graph = ["-filter_complex", _graph(len(pictures)), "-map", f"[v{len(pictures) - 1}]"] if len(pictures) > 1 else []
    return ["ffmpeg", "-y", "-loglevel", "error", "-nostdin", *inputs, *graph, *target]


def _graph(count: int) -> str:
    steps, before = [], "0:v"
    for number in range(1, count):
        fade = f"xfade=transition=fade:duration={FADE_S}:offset={number - FADE_S}"
        steps.append(f"[{before}][{number}:v]{fade}[v{number}]")
        before = f"v{number}"
    return ";".join(steps)
