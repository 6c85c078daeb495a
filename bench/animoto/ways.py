"""The ways to make one video of the same pictures, each a command of its own."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.animoto.peers import installed, xfade


@dataclass(frozen=True, slots=True)
class Task:
    """The pictures as files, as URLs, and where the video goes."""

    pictures: Sequence[Path]
    base: str
    out: Path

    @property
    def urls(self) -> list[str]:
        return [f"{self.base}/{path.name}" for path in self.pictures]


@dataclass(frozen=True, slots=True)
class Way:
    """How a video is made; judged are those that make one."""

    help: str
    command: Callable[[Task], list[str]]
    ours: bool = False
    slow: bool = False
    """Takes minutes at full size."""


def _ours(**order: Any) -> Callable[[Task], list[str]]:
    def command(task: Task) -> list[str]:
        return [
            sys.executable,
            "-m",
            "bench.animoto.ours",
            str(task.out),
            json.dumps({"images": task.urls, **order}),
        ]

    return command


def _floor(task: Task) -> list[str]:
    return [sys.executable, "-m", "bench.animoto.floor", *map(str, task.pictures)]


def _original(task: Task) -> list[str]:
    return [sys.executable, "-m", "bench.animoto.peers.original", str(task.out), *task.urls]


def _moviepy(task: Task) -> list[str]:
    return installed.moviepy_command(installed.moviepy_python(), task.out, list(task.pictures))


def _xfade(preset: str) -> Callable[[Task], list[str]]:
    return lambda task: xfade.command(task.pictures, preset, task.out)


FLOOR, ORIGINAL, MOVIEPY, CUTS, FADES = "floor", "original", "moviepy", "cuts", "fades"
WAYS: dict[str, Way] = {
    FLOOR: Way("decode each picture, encode it once, write nothing", _floor),
    CUTS: Way("ours: cuts", _ours(), ours=True),
    FADES: Way("ours: fades of 0.5 s", _ours(transition="fade"), ours=True),
    ORIGINAL: Way("sequential downloads, then ffmpeg: cuts", _original),
    "encode": Way("ours, engine=encode: fades", _ours(transition="fade", engine="encode"), ours=True, slow=True),
    MOVIEPY: Way("moviepy: fades", _moviepy, slow=True),
    "xfade-medium": Way("ffmpeg's xfade, preset medium: fades", _xfade("medium"), slow=True),
    "xfade-ultrafast": Way("ffmpeg's xfade, preset ultrafast: fades", _xfade("ultrafast"), slow=True),
}
NEEDS_FFMPEG = frozenset({ORIGINAL, "xfade-medium", "xfade-ultrafast"})
