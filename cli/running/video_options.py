"""What `run LOCAL animoto` and `submit animoto` have in common: their options, and the task that comes of them."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from cloudkon.errors import InputError
from cloudkon.workload.task_line import MAX_LINE_BYTES

ANIMOTO = "animoto"
_CHOICES = {
    "order": ("name", "date"),
    "transition": ("cut", "fade"),
    "background": ("blur", "black"),
    "broken": ("fail", "skip"),
}
_CommandT = TypeVar("_CommandT", bound=Callable[..., Any])


def _choice(name: str, help_text: str, default: str) -> Callable[[_CommandT], _CommandT]:
    return click.option(
        f"--{name}", type=click.Choice(_CHOICES[name]), default=default, show_default=True, help=help_text
    )


_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.argument("places", metavar="FOLDER|PICTURE...", nargs=-1, required=True, type=click.Path(path_type=Path)),
    click.option("--force", is_flag=True, help="Write over a video of this name."),
    _choice("order", "The order of a folder's pictures: by name, or by when they were taken.", "name"),
    click.option("--seconds", type=float, default=1.0, show_default=True, help="How long a picture stands [s]."),
    _choice("transition", "From one picture to the next.", "fade"),
    click.option("--fade-seconds", type=float, default=0.5, show_default=True, help="How long a fade takes [s]."),
    click.option("--title", help="Stands over the first picture."),
    click.option("--audio", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file of sound."),
    click.option("--pan-zoom", is_flag=True, help="Move slowly over each picture."),
    _choice("background", "What is beside a picture of other proportions: a blurred copy of it, or black.", "blur"),
    _choice("broken", "At a broken picture: end, or leave it out.", "fail"),
)


def video_options(command: _CommandT) -> _CommandT:
    """Give a command the pictures, and what can be asked of their video."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asked_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the task, without those that were not given."""
    asked = {name: str(value.absolute()) if isinstance(value, Path) else value for name, value in options.items()}
    return {name: value for name, value in asked.items() if value is not None and value is not False}


def check_out(video: Path, pictures: Sequence[Path], *, force: bool) -> None:
    """Raise InputError, before anything is made, if the video could not be written or would take something's place."""
    folder = video.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"{video} can't be written: {folder} is no folder that can be written.")
    if not video.exists():
        return
    if not video.is_file() or any(video.samefile(picture) for picture in pictures):
        raise InputError(f"{video} is not a video to be written over. Name another file.")
    if not force:
        raise InputError(f"{video} exists. Name another file, or write over it with --force.")


def video_task(task: Mapping[str, Any]) -> bytes:
    """The workload of one task; raise InputError for a video that can't be made."""
    from animoto.order import OrderError, parse_local_order  # noqa: PLC0415 (Pillow may not be there)

    try:
        parse_local_order(**task)
    except OrderError as error:
        raise InputError(f"No such video can be made: {error}.") from error
    line = json.dumps({"task": ANIMOTO, **task}, ensure_ascii=False)
    if len(line.encode(errors="surrogateescape")) > MAX_LINE_BYTES:
        raise InputError(
            f"{len(task['images']):,} pictures are too many for one video. Make several: "
            "cloudkon-cli generate animoto --pictures FOLDER --per-video 500"
        )
    try:
        return f"{line}\n".encode()
    except UnicodeEncodeError as error:
        raise InputError("The name of a picture is not UTF-8. Rename it.") from error
