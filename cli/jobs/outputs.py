"""What tasks stored: named by links, or fetched into a folder."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.terminal.durations import DurationParam
from cloudkon.errors import InputError
from cloudkon.ports import ObjectStore
from cloudkon.reports.task_results import ResultJson

MAX_LINK_S = 7 * 86_400
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html"""
_AT_ONCE = 4


class LinkLifetimeParam(DurationParam):
    """How long a link opens, such as 90s, 30m, 1h or 7d [s]."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        seconds = super().convert(value, param, ctx)
        if seconds > MAX_LINK_S:
            self.fail(f"{value} is too long: S3 opens a link for 7 days at most.", param, ctx)
        return seconds


def with_links(found: Iterator[ResultJson], store: ObjectStore, valid_s: int | None) -> Iterator[ResultJson]:
    """Give each outcome that has an output its link: one that opens for so long, or where the output is."""
    for outcome in found:
        yield outcome | {"link": store.link(outcome["output"], valid_s)} if "output" in outcome else outcome


def download_outputs(found: Sequence[ResultJson], store: ObjectStore, folder: Path) -> Iterator[ResultJson]:
    """Fetch every output into a folder, a few at once, with a bar on a terminal; each outcome is told its file.

    What a task stored beside its output, and names in its value, comes with it.
    """
    digits = len(str(max((outcome["task"] for outcome in found), default=0)))
    console = Console(stderr=True)
    columns = (TextColumn("outputs"), BarColumn(), MofNCompleteColumn())
    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
        ThreadPoolExecutor(_AT_ONCE, "download") as pool,
    ):
        bar = progress.add_task("", total=sum("output" in outcome for outcome in found))

        def fetched(outcome: ResultJson) -> ResultJson:
            if "output" not in outcome:
                return outcome
            files = {key: folder / f"{outcome['task']:0{digits}}-{PurePosixPath(key).name}" for key in _keys(outcome)}
            for key, file in files.items():
                fetch_object(store, key, file)
            progress.advance(bar)
            return outcome | {"link": str(files[outcome["output"]])}

        try:
            folder.mkdir(parents=True, exist_ok=True)
            yield from pool.map(fetched, found)
        except OSError as error:
            raise InputError(f"{folder}: {error.strerror or error}. Name a folder that can be written.") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _keys(outcome: ResultJson) -> list[str]:
    """The output, and what the value names of the same run's."""
    output, value = outcome["output"], outcome.get("value")
    beside = output.removesuffix(PurePosixPath(output).name)
    named = value.values() if isinstance(value, dict) else ()
    return [output, *(key for key in named if isinstance(key, str) and key.startswith(beside) and key != output)]


def fetch_object(store: ObjectStore, key: str, file: Path) -> None:
    """Copy what the store has under a key into a file, which is there as a whole, or not at all."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            for chunk in store.read(key):
                out.write(chunk)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
