import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from animoto.lists import read_urls, video_tasks
from animoto.order import OrderError, parse_local_order
from animoto.video import Transition
from cloudkon.errors import InputError
from cloudkon.handlers.sleep import MAX_SLEEP_MS

_BLOCK = 10_000
_PER_VIDEO = 60


@click.group()
def generate() -> None:
    """Write workloads for trying things out to stdout.

    \b
    Examples:
      cloudkon-cli generate sleep --tasks 100000 --ms 0 > tasks.txt
      cloudkon-cli generate animoto --urls urls.txt --per-video 60 > tasks.txt
    """


@generate.command()
@click.option("--tasks", type=click.IntRange(min=0), required=True, help="How many tasks.")
@click.option(
    "--ms",
    "duration_ms",
    type=click.IntRange(0, MAX_SLEEP_MS),
    default=0,
    show_default=True,
    help="How long each sleeps [ms].",
)
def sleep(tasks: int, duration_ms: int) -> None:
    """Write a workload of tasks that only take time.

    \b
    Examples:
      cloudkon-cli generate sleep --tasks 1000 --ms 10 > tasks.txt
      cloudkon-cli generate sleep --tasks 50000 | cloudkon-cli submit - --name sleep.txt
    """
    out = sys.stdout.buffer
    line = f"sleep {duration_ms}\n".encode()
    block = line * _BLOCK
    for _ in range(tasks // _BLOCK):
        out.write(block)
    out.write(line * (tasks % _BLOCK))


@generate.command()
@click.option("--urls", "file", type=click.File(encoding="utf-8"), help="The file of URLs, one a line; - is stdin.")
@click.option(
    "--pictures",
    "places",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FOLDER|PICTURE",
    help="Pictures of this machine instead, for run LOCAL; may be given several times.",
)
@click.option(
    "--upload",
    metavar="s3://BUCKET/PREFIX",
    help="Upload the pictures first, so that workers in AWS can read them from there.",
)
@click.option(
    "--order",
    type=click.Choice(["name", "date"]),
    default="name",
    show_default=True,
    help="The order of a folder's pictures: by name, or by when they were taken.",
)
@click.option(
    "--per-video", type=click.IntRange(min=1), help="How many pictures a video has (default: 60 URLs, or all pictures)."
)
@click.option("--seconds", type=float, default=1.0, show_default=True, help="How long a picture stands [s].")
@click.option(
    "--transition",
    type=click.Choice([kind.value for kind in Transition]),
    default="cut",
    show_default=True,
    help="From one to the next.",
)
def animoto(
    file: TextIO | None,
    places: Sequence[Path],
    upload: str | None,
    order: str,
    per_video: int | None,
    seconds: float,
    transition: str,
) -> None:
    """Write a workload of videos: of a list of pictures' URLs (http, https and s3), or of pictures on this machine.

    Blank lines and lines that begin with # are left out; the last video may have fewer pictures. Nothing is written
    unless every picture can be used.

    \b
    Examples:
      cloudkon-cli generate animoto --urls urls.txt --per-video 60 > tasks.txt
      cloudkon-cli generate animoto --pictures holiday/ --order date | cloudkon-cli run LOCAL -
      cloudkon-cli generate animoto --pictures holiday/ --upload s3://my-pictures/holiday > tasks.txt
    """
    if (file is None) == (not places):
        raise InputError("Name the pictures: --urls FILE, or --pictures FOLDER.")
    if upload and not places:
        raise InputError("--upload is for --pictures: URLs are read from where they are.")
    images = _urls(file) if file is not None else _own(places, order, upload)
    most = per_video or (_PER_VIDEO if file is not None else max(1, len(images)))
    options = {"seconds": seconds, "transition": transition}
    lines = list(video_tasks(images, most, options))
    if images:
        _check(images[:most], options)
    click.echo("".join(f"{line}\n" for line in lines), nl=False)


def _urls(file: TextIO) -> list[str]:
    try:
        return read_urls(file, file.name)
    except UnicodeDecodeError as error:
        raise InputError(f"{file.name} is not a list of URLs: it is not text in UTF-8.") from error


def _own(places: Sequence[Path], order: str, upload: str | None) -> list[str]:
    """The paths of pictures on this machine, or, once they are uploaded, their URLs."""
    from animoto.own_pictures import PictureOrder, find_pictures  # noqa: PLC0415 (Pillow may not be there)

    found = find_pictures(places, PictureOrder(order))
    if found.left_out:
        click.echo(found.warning, err=True)
    if upload is None:
        return [str(path) for path in found.files]
    from cli.upload_pictures import upload_pictures  # noqa: PLC0415 (boto3 is slow to load)

    return upload_pictures(found.files, upload)


def _check(images: list[str], options: Mapping[str, Any]) -> None:
    try:
        parse_local_order(images=images, **options)
    except OrderError as error:
        raise InputError(f"No such video can be made: {error}.") from error
