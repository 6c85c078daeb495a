import sys
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from cli.input.checked import check_tasks
from cli.input.form_options import AskedForm, form_options
from cli.input.header_line import with_header
from cli.input.uploads import Upload, check_uploads, spooled
from cli.input.values_on_the_line import TailCommand
from cli.jobs.ledgers import Records
from cli.jobs.watching import WAIT_S, watch_to_end
from cli.running.submit_animoto import submit_animoto
from cli.running.video_options import ANIMOTO
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.units import size
from cloudkon.aws.cloud import Cloud
from cloudkon.aws.store import S3Store
from cloudkon.client.submitting import check_versions, uploaded
from cloudkon.clock import Clock
from cloudkon.errors import InputError
from cloudkon.settings import Settings
from cloudkon.wiring import cloud

_STDIN = "stdin"
_WORTH_SHOWING_BYTES = 8 * 1024 * 1024


class SubmitCommand(TailCommand):
    """The command submit, that hands on what begins with animoto, unless that is a file."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if len(args) > 1 and args[0] == ANIMOTO and not Path(ANIMOTO).exists():
            return submit_animoto.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=SubmitCommand)
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--prefix", default="", help="What to put before each file's name to make its key in the bucket.")
@click.option("--name", help="The name to give to a single file; stdin (-) needs one.")
@click.option("--watch", is_flag=True, help="Follow each job to its end; exit with 1 unless every task succeeded.")
@form_options
@stage_option
@json_option
@uses_clock
def submit(
    files: Sequence[str],
    prefix: str,
    name: str | None,
    *,
    asked: AskedForm,
    clock: Clock,
    watch: bool,
    stage: str,
    output: Output,
) -> None:
    """Upload workloads to the stage's bucket, where the dispatcher finds them; print each job's id, a line each.

    Each FILE holds a task a line, plain or gzipped; - is stdin. Nothing is uploaded unless all can be.

    \b
    Examples:
      cloudkon-cli submit tasks.txt --watch
      cloudkon-cli submit night/*.txt.gz --prefix night/
      cloudkon-cli generate sleep --tasks 1000 | cloudkon-cli submit - --name sleep.txt
      cloudkon-cli submit pictures.csv --task resize --watch
      cloudkon-cli submit animoto holiday/ -o holiday.mp4
    """
    with ExitStack() as stack:
        uploads = _uploads(files, prefix, name, asked, stack)
        check_uploads(uploads)
        uploads = [_with_form(upload, asked, stack) for upload in uploads]
        opened = cloud(stage, Settings())
        jobs = upload_all(opened, uploads, output=output)
    records = Records(opened.ledger, opened.results)
    ended_well = [watch_to_end(records, job, clock, WAIT_S, output=Output()) for job in jobs] if watch else []
    if not all(ended_well):
        raise SystemExit(1)


def _uploads(files: Sequence[str], prefix: str, name: str | None, asked: AskedForm, stack: ExitStack) -> list[Upload]:
    if asked.tail.sources:
        given = asked.workload(Path(files[0]) if files else None)
        asked.form(given)
        if given is None:
            path = asked.kept_rows(Path(stack.enter_context(TemporaryDirectory(prefix="cloudkon-"))))
            return [Upload(path, "the values", prefix + (name or path.name))]
        files = [str(given)]
    if not files and asked.is_given:
        files, name = ["-"], name or f"{asked.name}.txt"
    if not files:
        raise InputError("Which workload? Name its file, or - for standard input: cloudkon-cli submit FILE")
    return _named(files, prefix, name, stack)


def _with_form(upload: Upload, asked: AskedForm, stack: ExitStack) -> Upload:
    """The upload with the form in its first line, if there is one; raises InputError if it can't be used."""
    form = asked.form(None if asked.tail.sources and asked.tail.only_file is None else _named_file(upload))
    check_tasks(upload.path, form, upload.shown, asked.what, print_them=False)
    return upload if form is None else replace(upload, path=stack.enter_context(with_header(upload.path, form)))


def _named_file(upload: Upload) -> Path:
    """By what name the format of the file is known."""
    return Path(upload.key if upload.shown == _STDIN else upload.shown)


def _named(files: Sequence[str], prefix: str, name: str | None, stack: ExitStack) -> list[Upload]:
    if "-" in files:
        if name is None or len(files) > 1:
            raise InputError("stdin (-) is submitted alone and with a name: cloudkon-cli submit - --name FILE")
        return [Upload(stack.enter_context(spooled(sys.stdin.buffer)), _STDIN, prefix + name)]
    if name and len(files) > 1:
        raise InputError(f"--name {name} is for one file, and {len(files)} are given. Submit them one by one.")
    return [Upload(Path(file), file, prefix + (name or Path(file).name)) for file in files]


def upload_all(opened: Cloud, uploads: Sequence[Upload], *, output: Output) -> list[str]:
    """Upload workloads to the stage's bucket; print the ids that their jobs will have, and return them."""
    store = opened.workloads
    check_versions(store, opened.stage)
    jobs = []
    for upload in uploads:
        job, version = _upload(store, upload)
        jobs.append(job)
        said = {"job": job, "bucket": store.bucket, "key": upload.key, "version": version}
        output.value(said, [job])
    return jobs


def _upload(store: S3Store, upload: Upload) -> tuple[str, str]:
    console = Console(stderr=True)
    size_bytes = upload.path.stat().st_size
    shown = console.is_terminal and size_bytes >= _WORTH_SHOWING_BYTES
    with console.status(f"Uploading {escape(upload.shown)} ({size(size_bytes)}) ...") if shown else nullcontext():
        return uploaded(store, upload.key, upload.path, upload.shown)
