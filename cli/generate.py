import sys
from collections.abc import Mapping
from typing import Any, TextIO

import click

from animoto.lists import read_urls, video_tasks
from animoto.order import OrderError, parse_order
from animoto.video import Transition
from cloudkon.errors import InputError
from cloudkon.handlers.sleep import MAX_SLEEP_MS

_BLOCK = 10_000


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
@click.option(
    "--urls", "file", type=click.File(encoding="utf-8"), required=True, help="The file of URLs, one a line; - is stdin."
)
@click.option(
    "--per-video", type=click.IntRange(min=1), default=60, show_default=True, help="How many pictures a video has."
)
@click.option("--seconds", type=float, default=1.0, show_default=True, help="How long a picture stands [s].")
@click.option(
    "--transition",
    type=click.Choice([kind.value for kind in Transition]),
    default="cut",
    show_default=True,
    help="From one to the next.",
)
def animoto(file: TextIO, per_video: int, seconds: float, transition: str) -> None:
    """Write a workload of videos to be made of a list of pictures' URLs (http, https and s3).

    Blank lines and lines that begin with # are left out; the last video may have fewer pictures. Nothing is written
    unless every URL can be used.

    \b
    Examples:
      cloudkon-cli generate animoto --urls urls.txt --per-video 60 > tasks.txt
      cloudkon-cli generate animoto --urls urls.txt --transition fade | cloudkon-cli submit - --name videos.txt
    """
    try:
        urls = read_urls(file, file.name)
    except UnicodeDecodeError as error:
        raise InputError(f"{file.name} is not a list of URLs: it is not text in UTF-8.") from error
    options = {"seconds": seconds, "transition": transition}
    lines = list(video_tasks(urls, per_video, options))
    if urls:
        _check(urls[:per_video], options)
    click.echo("".join(f"{line}\n" for line in lines), nl=False)


def _check(images: list[str], options: Mapping[str, Any]) -> None:
    try:
        parse_order(images=images, **options)
    except OrderError as error:
        raise InputError(f"No such video can be made: {error}.") from error
