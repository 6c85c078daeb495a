"""`submit animoto`: one video of pictures that are on this machine, made by the stage's workers."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from cli.input.uploads import Upload
from cli.jobs.ledgers import Records
from cli.jobs.outputs import fetch_object
from cli.jobs.watching import WAIT_S, watch_to_end
from cli.running.video_options import ANIMOTO, asked_of, check_out, video_options, video_task
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.units import size
from cli.upload_pictures import upload_pictures
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.reports.task_results import task_results
from cloudkon.settings import Settings
from cloudkon.wiring import cloud


@click.command(ANIMOTO)
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Wait for the video, and fetch it into this file.",
)
@video_options
@click.option(
    "--upload",
    metavar="s3://BUCKET/PREFIX",
    help="Where to put the pictures (default: pictures/ in the stage's results bucket).",
)
@stage_option
@json_option
@uses_clock
def submit_animoto(
    places: Sequence[Path],
    out: Path | None,
    order: str,
    upload: str | None,
    stage: str,
    *,
    force: bool,
    clock: Clock,
    output: Output,
    **options: Any,
) -> None:
    """Make a video of pictures on this machine with the stage's workers: the pictures are uploaded first.

    A folder's pictures are JPEG, PNG, WebP, GIF, AVIF and BMP; folders below it are not looked into. The job's id is
    printed. With -o the video is waited for.

    \b
    Examples:
      cloudkon-cli submit animoto holiday/ -o holiday.mp4
      cloudkon-cli submit animoto holiday/ --order date --title "June 2026" --upload s3://my-pictures/holiday
    """
    from animoto.own_pictures import PictureOrder, find_pictures  # noqa: PLC0415 (Pillow may not be there)
    from cli.running.submit import upload_all  # noqa: PLC0415 (it hands on to this command)

    found = find_pictures(places, PictureOrder(order))
    if found.left_out:
        click.echo(found.warning, err=True)
    if out is not None:
        check_out(out, found.files, force=force)
    opened = cloud(stage, Settings())
    put = upload or f"s3://{opened.results.bucket}/pictures"
    asked = asked_of(options)
    if "audio" in asked:
        asked["audio"] = upload_pictures([Path(asked["audio"])], put)[0]
    workload = video_task({"images": upload_pictures(found.files, put), **asked})
    with TemporaryDirectory(prefix="cloudkon-") as folder:
        file = Path(folder) / "animoto.txt"
        file.write_bytes(workload)
        upload_it = Upload(file, "the workload", f"animoto/{places[0].absolute().stem}.txt")
        (job,) = upload_all(opened, [upload_it], output=output)
    if out is None:
        return
    records = Records(opened.ledger, opened.results)
    if not watch_to_end(records, job, clock, WAIT_S, output=Output()):
        raise SystemExit(1)
    _fetch(records, job, out)
    click.echo(f"{out}: {len(found.files)} pictures, {size(out.stat().st_size)}", err=True)


def _fetch(records: Records, name: str, video: Path) -> None:
    job = records.ledger.job(name)
    results = [] if job is None else list(task_results(records.ledger, records.results, job))
    try:
        fetch_object(records.results, str(results[0]["output"]), video)
    except OSError as error:
        raise CloudKonError(f"{video} can't be written: {error.strerror or error}.") from error
