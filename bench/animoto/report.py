"""Shows the results, as text and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from bench.animoto.rounds import Result
from bench.animoto.ways import FLOOR, MOVIEPY, ORIGINAL, WAYS

Case = Mapping[str, str]
_HEAD = (
    "way              rounds  wall s   CPU s  MB peak  MB out  SSIM-Y mean  worst  PSNR-Y  frames  seconds  decoders"
)


def document(
    results: Sequence[Result], cases: Sequence[Case], versions: Mapping[str, str], server_s: float, colours: int | None
) -> Any:
    return {
        "versions": versions,
        "server_cpu_s": server_s,
        "browser_colour_error": colours,
        "ways": [_figures(result) for result in results],
        "ratios": dict(_ratios(results)),
        "hostile": list(cases),
    }


def text(
    results: Sequence[Result], cases: Sequence[Case], versions: Mapping[str, str], server_s: float, colours: int | None
) -> str:
    parts = ["\n".join(f"{name}: {version}" for name, version in versions.items())]
    if results:
        parts += [
            "\n".join([_HEAD, *(line for result in results for line in _lines(result))]),
            "\n".join(f"{name:60} {ratio:6.2f}" for name, ratio in _ratios(results)),
            f"The server of the pictures took {server_s:.2f} CPU s besides, in all rounds.",
        ]
    if colours is not None:
        parts.append(f"Our colours in Chromium: at most {colours} of 255 off.")
    if cases:
        parts.append("\n".join(_table([{"case": "case", "ours": "ours", "ffmpeg": "plain ffmpeg"}, *cases])))
    return "\n\n".join(parts)


def _figures(result: Result) -> dict[str, Any]:
    seen = result.seen
    figures: dict[str, Any] = {
        "way": result.name,
        "help": WAYS[result.name].help,
        "rounds": len(result.runs),
        "wall_s": result.middle(lambda run: run.wall_s),
        "cpu_s": result.cpu_s,
        "cpu_s_of_rounds": [run.cpu_s for run in result.runs],
        "startup_cpu_s": result.startup_s,
        "peak_mb": result.middle(lambda run: run.peak_mb),
        "does_not_count": list(result.objections),
    }
    if seen is not None:
        figures |= {
            "bytes": result.size_bytes,
            "ssim_y_mean": fmean(seen.ssim_y or [0]),
            "ssim_y_worst": min(seen.ssim_y, default=0),
            "psnr_y_mean": fmean(seen.psnr_y or [0]),
            "frames": seen.frames,
            "seconds": seen.duration_s,
            "index_first": seen.index_first,
            "decoders_agree": seen.decoders_agree,
        }
    return figures


def _lines(result: Result) -> Iterator[str]:
    shown = _figures(result)
    line = f"{result.name:16} {shown['rounds']:6} {shown['wall_s']:7.2f} {shown['cpu_s']:7.2f} {shown['peak_mb']:8.0f}"
    if result.seen is not None:
        line += f" {result.size_bytes / 1e6:7.1f} {shown['ssim_y_mean']:12.4f} {shown['ssim_y_worst']:6.4f}"
        line += f" {shown['psnr_y_mean']:7.2f} {shown['frames']:7} {shown['seconds']:8.3f}"
        line += f"  {_agreement(shown['decoders_agree'], ours=WAYS[result.name].ours)}"
    yield line
    if result.startup_s:
        yield f"{'':16} of it {result.startup_s:.2f} CPU s to start, once a worker"
    yield from (f"{'':16} does not count: {reason}" for reason in result.objections)


def _agreement(agree: bool | None, *, ours: bool) -> str:  # noqa: FBT001
    if agree is None:
        return "OpenH264 is not here (Debian: apt-get install libopenh264-7)" if ours else "-"
    return "agree" if agree else "disagree"


def _ratios(results: Sequence[Result]) -> Iterator[tuple[str, float]]:
    """How often the CPU seconds of ours go into those of others, in fresh processes and in a worker that has begun."""
    found = {result.name: result for result in results if result.cpu_s}
    for name, result in found.items():
        if not WAYS[name].ours:
            continue
        for other in (ORIGINAL, MOVIEPY, "xfade-medium", "xfade-ultrafast"):
            if other in found:
                yield f"{other} / {name}", found[other].cpu_s / result.cpu_s
                yield f"{other} / {name}, without its start", found[other].cpu_s / (result.cpu_s - result.startup_s)
        if FLOOR in found:
            yield f"{name} / {FLOOR}", result.cpu_s / found[FLOOR].cpu_s


def _table(rows: Sequence[Case]) -> Iterator[str]:
    widths = {name: max(len(row[name]) for row in rows) for name in ("case", "ffmpeg")}
    for row in rows:
        yield f"{row['case']:{widths['case']}}  {row['ffmpeg']:{widths['ffmpeg']}}  {row['ours']}"
