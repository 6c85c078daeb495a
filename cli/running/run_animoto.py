"""`run LOCAL animoto`: one video of pictures that are on this machine."""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from cli.input.values_on_the_line import TailCommand
from cli.running.local_options import LocalOptions
from cli.running.video_options import ANIMOTO, asked_of, check_out, video_options, video_task
from cli.system.paths import data_folder, default_ledger, results_folder
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.units import size
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ledger.results import TaskResult
from cloudkon.local import private
from cloudkon.local.ledger import SqliteLedger
from cloudkon.settings import Settings

_LOCAL = "LOCAL"
_FOLDER = "videos"
_WORDS = "cloudkon.words"
"""Under this name the context keeps what the person typed."""
_RECENT_JOBS = 100


class RunCommand(TailCommand):
    """The command run, that hands on what begins with LOCAL animoto."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if len(args) > 1 and args[0].upper() == _LOCAL and args[1] == ANIMOTO:
            words = tuple(args)
            context = run_animoto.make_context(f"{info_name} {args[0]} {args[1]}", args[2:], parent, **extra)
            context.meta[_WORDS] = words
            return context
        return super().make_context(info_name, args, parent, **extra)


@click.command(ANIMOTO)
@click.option(
    "-o", "--output", "out", type=click.Path(dir_okay=False, path_type=Path), help="The video (default: FOLDER.mp4)."
)
@video_options
@click.option("--ledger", type=click.Path(dir_okay=False, path_type=Path), help="Keep the ledger in this file.")
@json_option
@uses_clock
def run_animoto(
    places: Sequence[Path],
    out: Path | None,
    order: str,
    ledger: Path | None,
    *,
    force: bool,
    clock: Clock,
    output: Output,
    **options: Any,
) -> None:
    """Make a video of pictures on this machine: those of a folder, or the files that are named.

    A folder's pictures are JPEG, PNG, WebP, GIF, AVIF and BMP; folders below it are not looked into. The sound is cut,
    or continued by silence, to the video's length.

    \b
    Examples:
      cloudkon-cli run LOCAL animoto holiday/ -o holiday.mp4
      cloudkon-cli run LOCAL animoto holiday/ --order date --seconds 3 --title "June 2026" --audio song.mp3
      cloudkon-cli run LOCAL animoto first.jpg holiday/ last.png -o all.mp4
    """
    if find_spec("PIL") is None or find_spec("av") is None:
        raise CloudKonError("Videos need the extra animoto, which this installation lacks: make setup, in the clone.")
    from animoto.own_pictures import PictureOrder, find_pictures  # noqa: PLC0415 (Pillow may not be there)
    from cli.running.run_local_view import run_local  # noqa: PLC0415

    found = find_pictures(places, PictureOrder(order))
    if found.left_out:
        click.echo(found.warning, err=True)
    video = out or Path(f"{places[0].absolute().stem}.mp4")
    check_out(video, found.files, force=force)
    workload = _workload({"images": [str(path) for path in found.files], **asked_of(options)})
    ledger_file = ledger or default_ledger()
    again = ("cloudkon-cli", "run", *click.get_current_context().meta[_WORDS])
    local = LocalOptions(file=workload, ledger_file=ledger_file, slots=1, again=again)
    if not run_local(local, clock=clock, output=output):
        raise SystemExit(1)
    _fetch(workload, ledger_file, video)
    click.echo(f"{video}: {len(found.files)} pictures, {size(video.stat().st_size)}", err=True)


def _workload(task: Mapping[str, Any]) -> Path:
    """The workload of one task, kept in a file so that the run can be explained, resumed and retried."""
    text = video_task(task)
    path = data_folder() / _FOLDER / hashlib.sha256(text).hexdigest()[:16] / "animoto.txt"
    private.make_folder(path.parent)
    path.write_bytes(text)
    return path


def _fetch(workload: Path, ledger_file: Path, video: Path) -> None:
    """Copy the video of the latest run out of the results; it is there as a whole, or not at all."""
    result = _result(workload, ledger_file)
    part = video.with_name(f".{video.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(results_folder(ledger_file) / str(result.output), part)
        part.replace(video)
    except OSError as error:
        raise CloudKonError(f"{video} can't be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def _result(workload: Path, ledger_file: Path) -> TaskResult:
    ledger = SqliteLedger(ledger_file, guard_ms=Settings().guard_ms)
    try:
        job = next(job for job in ledger.recent(_RECENT_JOBS) if job.source.key == str(workload.resolve()))
        [result] = (result for row in ledger.bundles(job) for result in row.results if result is not None)
        return result
    finally:
        ledger.close()
