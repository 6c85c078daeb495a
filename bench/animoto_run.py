"""Make many videos through everything: an S3 put, the deployed Lambda, the queue, two workers; then watch each of them.

    python -m bench.animoto_run                                 160 videos of 60 pictures
    python -m bench.animoto_run --videos 4 --pictures 6
    python -m bench.animoto_run --transition cut --json

Each of the pictures is another one, and tells its number in the video. The pictures are served by this process, whose
CPU is counted apart; the embedded cloud's is not counted. The videos are opened by their links, decoded frame by frame
and read after the time is taken.
"""

import argparse
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from resource import RUSAGE_SELF, getrusage, struct_rusage
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any
from urllib.request import urlopen

import av

from animoto.video import Transition
from bench.album import Album, read_number
from bench.children import RSS_UNIT_BYTES, cpu_s, module_path, run
from bench.figures import Figures, table
from cli.embedded.gallery import WORKER_SETTINGS, gallery
from cli.embedded.sandbox import follow, own_cloud, own_workers, say, submit
from cli.system.processes import ProcessId, cli
from cloudkon.clock import Clock, SystemClock

_WORKERS, _THREADS, _LANDSCAPES, _FPS = 2, 1, 24, 30


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be made. The pictures of video v are those with the numbers from v * pictures on."""

    videos: int = 160
    pictures: int = 60
    transition: Transition = Transition.FADE

    def lines(self, url: str) -> Iterator[str]:
        for video in range(self.videos):
            images = [f"{url}{number}" for number in self.numbers(video)]
            yield json.dumps({"task": "animoto", "images": images, "transition": self.transition.value})

    def numbers(self, video: int) -> range:
        return range(video * self.pictures, (video + 1) * self.pictures)


def measure(asked: Asked, home: Path, environment: Mapping[str, str], clock: Clock) -> Figures:
    """Make the videos on the stage of this environment, and prove them right; raises AssertionError if one is not."""
    environment = {**environment, **WORKER_SETTINGS, "PYTHONPATH": module_path()}
    with ExitStack() as cleanup:
        # First of all: a child's peak memory begins at that of the process that started it.
        workers = cleanup.enter_context(own_workers(home, environment, clock, _WORKERS, _THREADS))
        album = Album(min(asked.pictures, _LANDSCAPES))
        url = cleanup.enter_context(gallery(album.picture))
        workload = home / "videos.txt"
        workload.write_text("".join(f"{line}\n" for line in asked.lines(url)), encoding="utf-8")
        own_cpu_s, began_s = cpu_s(getrusage(RUSAGE_SELF)), monotonic()
        job = submit(workload, environment)
        follow(job, workers, environment, home)
        wall_s, own_cpu_s = monotonic() - began_s, cpu_s(getrusage(RUSAGE_SELF)) - own_cpu_s
    usages = [_usage(worker) for worker in workers]
    stats = json.loads(run(cli("stats", job, "--json"), environment).stdout)
    assert stats["tasks"]["succeeded"] == asked.videos, stats["tasks"]
    workers_cpu_s = sum(map(cpu_s, usages))
    return {
        "wall_s": wall_s,
        "makespan_s": stats["makespan_s"],
        "workers_cpu_s": workers_cpu_s,
        "workers_cpu_per_video_s": workers_cpu_s / asked.videos,
        "worker_peak_memory_mb": max(usage.ru_maxrss for usage in usages) * RSS_UNIT_BYTES / 1e6,
        "executions": stats["executions"],
        "downloads": len(album.handed_out),
        "gigabytes_in": sum(album.handed_out) / 1e9,
        "picture_server_cpu_s": own_cpu_s,
        **_watched(asked, job, home, environment),
    }


def _watched(asked: Asked, job: str, home: Path, environment: Mapping[str, str]) -> Figures:
    """What there is to see in the videos, opened by their links."""
    began_s = monotonic()
    listed = run(cli("results", job, "--presign", "1d", "--json"), environment).stdout.splitlines()
    results: list[Mapping[str, Any]] = [json.loads(line) for line in listed]
    links = {result["link"] for result in results}
    assert len(results) == len(links) == asked.videos
    say(f"watching {len(links)} videos")

    def frames(result: Mapping[str, Any]) -> int:
        video = home / f"{result['task']}.mp4"
        with urlopen(result["link"]) as opened, video.open("wb") as file:  # noqa: S310 (of our own cloud)
            shutil.copyfileobj(opened, file)
        try:
            return check(video, asked.numbers(result["task"] - 1))
        finally:
            video.unlink()

    with ThreadPoolExecutor(os.cpu_count(), "watch") as pool:  # decoders let other threads run
        seen = sum(pool.map(frames, results))
    return {
        "links": len(links),
        "frames": seen,
        "gigabytes_out": sum(result["value"]["bytes"] for result in results) / 1e9,
        "watched_s": monotonic() - began_s,
    }


def check(video: Path, numbers: Sequence[int]) -> int:
    """Decode every frame, read the pictures' numbers half a second into each; return how many frames there are."""
    seen: list[int] = []
    with av.open(str(video)) as container:
        [stream] = container.streams.video
        assert stream.duration is not None
        assert stream.time_base is not None
        length_s, frames = stream.duration * stream.time_base, 0
        for frames, frame in enumerate(container.decode(stream), 1):
            assert frame.pts is not None
            assert frame.pts * stream.time_base * _FPS == frames - 1, f"frame {frames} comes at another time"
            if (frames - 1) % _FPS == _FPS // 2:
                seen.append(read_number(frame))
    assert seen == list(numbers), f"pictures {numbers} are shown as {seen}"
    assert (frames, length_s) == (_FPS * len(numbers), Fraction(len(numbers)))
    return frames


def _usage(worker: ProcessId) -> struct_rusage:
    """What a worker that has ended took, its children included; it is our child."""
    _, _, usage = os.wait4(worker.pid, 0)
    return usage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = Asked()
    parser.add_argument("--videos", type=int, default=usual.videos)
    parser.add_argument("--pictures", type=int, default=usual.pictures, help="of each video")
    parser.add_argument("--transition", type=Transition, choices=list(Transition), default=usual.transition)
    parser.add_argument("--json", dest="as_json", action="store_true", help="print a line of JSON")
    given = parser.parse_args()
    asked, clock = Asked(given.videos, given.pictures, given.transition), SystemClock()
    with TemporaryDirectory(prefix="cloudkon-bench-") as folder, own_cloud(Path(folder), clock) as environment:
        figures = measure(asked, Path(folder), environment, clock)
    print(json.dumps(figures) if given.as_json else f"{asked}\n{table(figures)}")


if __name__ == "__main__":
    main()
