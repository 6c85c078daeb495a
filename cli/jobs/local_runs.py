"""What is known of a LOCAL job beside its ledger: with which options it was run, and whether its process lives."""

import json
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cli.input.form_options import form_words
from cli.jobs.ledger_options import ledger_option_text
from cli.jobs.ledgers import FoundJob
from cli.system.paths import results_folder
from cloudkon.ledger.job import LOCAL_BUCKET
from cloudkon.ledger.lease import BundleRow
from cloudkon.local import private
from cloudkon.local.run_lock import is_running
from cloudkon.reports.stats import JobReading, JobStats, read_job


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a LOCAL job was run, as far as a run of its tasks again depends on it."""

    slots: int = 0
    processes: int | None = None
    modules: Sequence[str] = ()
    allowed: Sequence[str] = ()
    retries: int | None = None
    folders: Sequence[str] = ()
    """Where its modules were looked for."""


def remember(ledger_file: Path, job: str, options: RunOptions) -> None:
    """Write the options down, for `retry` and for whoever asks how the run is resumed."""
    path = _path(ledger_file, job)
    private.make_folder(path.parent)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)  # of a process that had our number and died
    with private.create(draft) as file:
        file.write(json.dumps(asdict(options)).encode())
    draft.replace(path)


def remembered(ledger_file: Path, job: str) -> RunOptions:
    """The options of the job's last run; those of no options if nothing, or nothing that can be read, was written."""
    try:
        told = json.loads(_path(ledger_file, job).read_text(encoding="utf-8"))
        return replace(RunOptions(), **told)
    except (OSError, ValueError, TypeError):
        return RunOptions()


def _path(ledger_file: Path, job: str) -> Path:
    return results_folder(ledger_file) / "options" / f"{job}.json"


def is_stopped(found: FoundJob, stats: JobStats) -> bool:
    """Whether the job is a LOCAL one whose process has ended before it: killed, or interrupted."""
    file = found.records.file
    is_local = file is not None and found.job.source.bucket == LOCAL_BUCKET
    return is_local and file is not None and not stats.ended and not is_running(file, found.job.id)


def read_until_stopped(found: FoundJob, now_ms: int, *observers: Callable[[BundleRow], None]) -> JobReading:
    """Read a job's rows; the time of a stopped one ends with its last record, since nobody has run it from then on."""
    reading = read_job(found.records.ledger, found.job, now_ms, *observers)
    if not is_stopped(found, reading.stats):
        return reading
    return read_job(found.records.ledger, found.job, reading.totals.last_ms)


def state_of(found: FoundJob, stats: JobStats) -> str:
    """The job's state in a word, as lists show it."""
    if stats.paused is not None:
        return "paused"
    return "stopped" if is_stopped(found, stats) else stats.state.value


def resume_command(found: FoundJob) -> str:
    """What to type so that a stopped LOCAL job goes on."""
    file = found.records.file
    if file is None:
        return ""
    options = remembered(file, found.job.id)
    words = ["cloudkon-cli", "run", "LOCAL", found.job.source.key]
    words += form_words(found.job.form)
    words += ["-t", str(options.slots)] if options.slots else []
    words += ["--processes", str(options.processes)] if options.processes else []
    words += [word for module in options.modules for word in ("--tasks", module)]
    words += [word for name in options.allowed for word in ("--allow", name)]
    return f"{shlex.join(words)}{ledger_option_text(file)} --resume"
