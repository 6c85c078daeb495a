import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cli.embedded.gallery import WORKER_SETTINGS, gallery
from cli.embedded.sandbox import follow, own_cloud, own_workers, run_cli, say, submit
from cli.terminal.options import uses_clock
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError

_VIDEOS, _PICTURES = 3, 12
_WORKERS = 2


@click.command("demo-animoto")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="cloudkon-videos",
    show_default=True,
    help="The folder for the videos and their contact sheets.",
)
@uses_clock
def demo_animoto(folder: Path, *, clock: Clock) -> None:
    """Run the demonstration that makes videos, on the embedded cloud with two workers.

    It draws 36 pictures, makes three videos of them and keeps the videos in a folder. Nothing else is left behind,
    also after Ctrl-C. An embedded cloud that is already up is not touched.

    \b
    Examples:
      cloudkon-cli demo-animoto
      cloudkon-cli demo-animoto --folder videos
    """
    if find_spec("PIL") is None:
        raise CloudKonError("The pictures are drawn by Pillow: pip install 'cloudkon[animoto]'")
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(TemporaryDirectory(prefix="cloudkon-demo-")))
        say(f"drawing {_VIDEOS * _PICTURES} pictures meanwhile")
        drawn = cleanup.enter_context(_drawn())
        environment = cleanup.enter_context(own_cloud(home, clock)) | WORKER_SETTINGS
        pictures = {name: picture.result() for name, picture in drawn.items()}
        url = cleanup.enter_context(gallery(pictures.get))
        say(f"serving {len(pictures)} pictures at {url}")
        videos = home / "videos.txt"
        videos.write_text("".join(f"{line}\n" for line in workload(url)), encoding="utf-8")
        say(f"starting {_WORKERS} workers")
        workers = cleanup.enter_context(own_workers(home, environment, clock, _WORKERS, threads=1))
        cleanup.callback(say, "cleaning up")
        job = submit(videos, environment)
        follow(job, workers, environment, home)
        run_cli(environment, "stats", job)
        _fetch(job, folder, environment)


def workload(url: str) -> Iterator[str]:
    """A task for each video: cuts, as words; fades, with a title; fades from one picture to the next, without rest."""
    images = [[f"{url}{_name(video, picture)}" for picture in range(_PICTURES)] for video in range(_VIDEOS)]
    yield f"animoto {' '.join(images[0])}"
    yield json.dumps({"task": "animoto", "images": images[1], "transition": "fade", "title": "CloudKon"})
    slow = {"seconds": 2, "transition": "fade", "fade_seconds": 1.5}
    yield json.dumps({"task": "animoto", "images": images[2], **slow})


@contextmanager
def _drawn() -> Iterator[Mapping[str, Future[bytes]]]:
    """The pictures, drawn while other things are waited for."""
    from animoto.landscapes import landscape_jpeg  # noqa: PLC0415 (Pillow may not be there)

    with ThreadPoolExecutor(1, "draw") as pool:
        try:
            yield {
                _name(video, picture): pool.submit(
                    landscape_jpeg, video * _PICTURES + picture, f"{video + 1} · {picture + 1}"
                )
                for video in range(_VIDEOS)
                for picture in range(_PICTURES)
            }
        finally:
            pool.shutdown(cancel_futures=True)


def _name(video: int, picture: int) -> str:
    return f"{video + 1}-{picture + 1:02d}.jpg"


def _fetch(job: str, folder: Path, environment: Mapping[str, str]) -> None:
    listed = run_cli(environment, "results", job)
    say(f"fetching the videos and their contact sheets into {folder}")
    if not (listed and run_cli(environment, "results", job, "--download", str(folder.absolute()))):
        raise CloudKonError("The videos could not be fetched, see above.")
