import os
from array import array
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

import click

from cli.input.uploads import Upload
from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.jobs.local_runs import remembered
from cli.jobs.repeats import Origins, origins_of
from cli.repair.selection import Selection, copy_lines
from cli.system.paths import data_folder, results_folder
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, InputError
from cloudkon.ledger.job import LOCAL_BUCKET, Job
from cloudkon.local import private

if TYPE_CHECKING:
    from cloudkon.aws.cloud import Cloud


@click.command()
@optional_job
@click.option("--only-failed", is_flag=True, help="Leave out tasks without a handler and tasks that never ran.")
@click.option("--reason", metavar="TEXT", help="Only tasks whose error holds this text.")
@click.option("-t", "--threads", type=click.IntRange(min=1), help="LOCAL: tasks run at a time (default: one a core).")
@click.option("--tasks", "modules", multiple=True, metavar="MODULE", help="LOCAL: load the handlers of this module.")
@click.option("--allow", "allowed", multiple=True, type=click.Choice(["shell"]), help="LOCAL: run such tasks, too.")
@json_option
@reads_ledgers
@uses_clock
def retry(
    ledgers: Ledgers,
    job: str | None,
    reason: str | None,
    threads: int | None,
    modules: Sequence[str],
    allowed: Sequence[str],
    *,
    clock: Clock,
    only_failed: bool,
    output: Output,
) -> None:
    """Run the tasks of JOB, by default the latest, that did not succeed again, as a new job; print the new job's id.

    These are the tasks that failed, those that no worker had a handler for and, if the job was cancelled, those that
    never ran. The new workload is uploaded as retry/JOB/NAME. A job of this machine runs here at once, as with run
    LOCAL and with the modules and permissions of its first run; a job that was put on a queue is put there again.

    \b
    Examples:
      cloudkon-cli retry
      cloudkon-cli retry tasks-k3vq7xwz5a2m --reason "connection reset" | xargs cloudkon-cli watch
      cloudkon-cli retry local-tasks-k3vq7xwz5a2m -t 4
    """
    found = ledgers.find(job)
    selection = _selection(found, reason, only_failed=only_failed)
    cloud = found.records.cloud
    if cloud is None or found.job.source.is_file:
        file = _written_file(found, selection)
        if not _run(found, file, threads, modules, allowed, clock=clock, output=output):
            raise SystemExit(1)
        return
    if threads or modules or allowed:
        raise InputError(
            f"--threads, --tasks and --allow are for LOCAL jobs, and {found.job.id} is run by the stage's workers."
        )
    _submit(found, selection, cloud, output=output)


def _selection(found: FoundJob, reason: str | None, *, only_failed: bool) -> Selection:
    job = found.job
    never_ran = job.cancelled_ms is not None and not only_failed and reason is None
    if never_ran and len(found.records.ledger.dispatched(job.id)) < job.ranges:
        raise CloudKonError(
            f"{job.id} was cancelled before it was dispatched to its end: which lines never ran is not known. "
            f"Take those that failed: cloudkon-cli retry {job.id} --only-failed"
        )
    return Selection(unhandled=not only_failed, never_ran=never_ran, reason=reason)


def _submit(found: FoundJob, selection: Selection, cloud: "Cloud", *, output: Output) -> None:
    from cli.running.submit import upload_all  # noqa: PLC0415 (boto3 takes longer to import than a local answer takes)

    with TemporaryDirectory(prefix="cloudkon-") as folder:
        path = Path(folder) / "workload"
        with path.open("wb") as out:
            _copy(found, selection, out)
        key = f"retry/{found.job.id}/{_name(found.job)}"
        upload_all(cloud, [Upload(path, key, key)], output=output)


def _written_file(found: FoundJob, selection: Selection) -> Path:
    """The new workload, in a file that stays: the job that comes of it may have to be retried too."""
    file = found.records.file
    folder = (results_folder(file) if file else data_folder()) / "retries" / found.job.id
    private.make_folder(folder)
    name = Path(_name(found.job))
    for number in range(1, 1_000_000):
        path = folder / f"{name.stem}-{number}{name.suffix}"
        with suppress(FileExistsError), private.create(path) as out:
            try:
                _copy(found, selection, out)
            except BaseException:
                path.unlink()
                raise
            return path
    raise CloudKonError(f"{folder} holds a million retries. Delete some.")


def _copy(found: FoundJob, selection: Selection, out: BinaryIO) -> None:
    copied = copy_lines(found, selection, out)
    if not copied.tasks:
        raise CloudKonError(f"No task of {found.job.id} has to be run again; nothing was begun.")
    before = origins_of(found)
    numbers = copied.numbers if before is None else array("q", (before.line(n) or n for n in copied.numbers))
    origins = Origins(found.job.id if before is None else before.job, copied.headers + 1, numbers)
    out.writelines(f"{note}\n".encode() for note in origins.notes())


def _name(job: Job) -> str:
    name = Path(job.source.key).name.removesuffix(".gz")
    return "tasks.txt" if name in ("", "..") else name


def _run(
    found: FoundJob,
    file: Path,
    threads: int | None,
    modules: Sequence[str],
    allowed: Sequence[str],
    *,
    clock: Clock,
    output: Output,
) -> bool:
    ledger_file, cloud, queue = found.records.file, found.records.cloud, found.job.source.bucket
    if queue == LOCAL_BUCKET and ledger_file is not None:
        from cli.running.local_options import LocalOptions  # noqa: PLC0415 (each way loads only what it needs)
        from cli.running.run_local_view import run_local  # noqa: PLC0415

        before = remembered(ledger_file, found.job.id)
        options = LocalOptions(
            file=file,
            ledger_file=ledger_file,
            slots=threads or before.slots or os.cpu_count() or 1,
            modules=modules or before.modules,
            allowed=allowed or before.allowed,
            retries=before.retries,
            processes=before.processes,
            folders=before.folders,
        )
        return run_local(options, clock=clock, output=output)
    if cloud is None:
        raise CloudKonError(
            f"{found.job.id} ran on the queue {queue}. Run it there: cloudkon-cli run {queue} -s {file}"
        )
    from cli.running.run_queue import run_queue  # noqa: PLC0415 (as above)

    return run_queue(queue, file, cloud.stage, threads, None, clock=clock, output=output)
