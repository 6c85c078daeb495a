"""Measures videos of pictures: python -m bench.animoto [--rounds N] [--pictures N] [--only NAME] [--json].

(A) cuts, against the original's way; (B) fades of half a second, against moviepy and ffmpeg's xfade; (C) pictures and
servers that are broken, against plain ffmpeg. Ours and the original's download their pictures from loopback, 40 ms
away; the floor, moviepy and xfade find them in a folder. CPU seconds are those of the way and of all that it started;
peak memory is that of its largest process.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CalledProcessError

from bench.animoto import report
from bench.animoto.peers import installed
from bench.animoto.rounds import Result, Rounds, compiled
from bench.animoto.sources.serving import serving
from bench.animoto.ways import MOVIEPY, NEEDS_FFMPEG, WAYS
from bench.children import run

HOSTILE, BROWSER = "hostile", "browser"


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    names = _possible(asked.only or [*WAYS, BROWSER, HOSTILE])
    colours = _colours() if BROWSER in names else None
    results, server_s = _videos([name for name in names if name in WAYS], asked, colours)
    cases = _hostile() if HOSTILE in names else []
    versions = _versions(names)
    if asked.as_json:
        print(json.dumps(report.document(results, cases, versions, server_s, colours)))
    else:
        print(report.text(results, cases, versions, server_s, colours))
    return 0


def _possible(names: Sequence[str]) -> list[str]:
    lacking = [name for name in names if name in {HOSTILE, *NEEDS_FFMPEG}]
    if not lacking or installed.ffmpeg_version():
        return list(names)
    print(f"There is no ffmpeg (Debian: apt-get install ffmpeg): without {', '.join(lacking)}.", file=sys.stderr)
    return [name for name in names if name not in lacking]


def _videos(names: Sequence[str], asked: argparse.Namespace, colours: int | None) -> tuple[list[Result], float]:
    """The ways' results, and the CPU time of the server."""
    if not names:
        return [], 0.0
    if MOVIEPY in names:
        installed.moviepy_python()  # installed before anything is measured
    with tempfile.TemporaryDirectory(prefix="bench-animoto-") as folder:
        print(f"drawing {asked.pictures} pictures", file=sys.stderr)
        run([sys.executable, "-m", "bench.animoto.sources.pictures", folder, str(asked.pictures)], os.environ)
        with serving(Path(folder)) as server:
            rounds = Rounds(
                Path(folder), server.base, sorted(Path(folder).glob("*.jpg")), compiled(os.environ), colours
            )
            results = rounds.run(names, asked.rounds, asked.slow_rounds or asked.rounds)
        return results, server.cpu_s


def _colours() -> int | None:
    """How far our colours are off in a browser, of 255; None without one."""
    print("colours in a browser", file=sys.stderr)
    try:
        errors: list[int] = json.loads(run([sys.executable, "-m", "bench.animoto.judging.browser"], os.environ).stdout)
    except CalledProcessError:
        return None
    return max(errors)


def _hostile() -> list[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="bench-animoto-") as folder, serving(Path(folder)) as server:
        print("broken pictures and servers", file=sys.stderr)
        said = run([sys.executable, "-m", "bench.animoto.hostile", folder, server.base], os.environ).stdout
        return [json.loads(line) for line in said.splitlines()]


def _versions(names: Sequence[str]) -> Mapping[str, str]:
    found = {"ffmpeg": installed.ffmpeg_version() or "none"}
    if MOVIEPY in names:
        found["moviepy"] = installed.moviepy_version(installed.moviepy_python())
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.animoto", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="interleaved rounds, whose medians are shown (default: 3)"
    )
    parser.add_argument("--slow-rounds", type=int, help="rounds of what takes minutes (default: as many)")
    parser.add_argument("--pictures", type=int, default=60, help="pictures of the video (default: 60)")
    parser.add_argument(
        "--only",
        action="append",
        choices=[*WAYS, BROWSER, HOSTILE],
        help="this alone; may be given again (default: all)",
    )
    parser.add_argument("--json", dest="as_json", action="store_true", help="print one document of JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
