"""Where this machine keeps what outlives a run: the ledger, and beside it what is too large for a ledger."""

import os
from pathlib import Path

from cloudkon.job import Job


def data_folder() -> Path:
    """CLOUDKON_HOME, or the place that XDG names: https://specifications.freedesktop.org/basedir-spec/latest/."""
    own = os.environ.get("CLOUDKON_HOME")
    if own:
        return Path(own).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "cloudkon"


def default_ledger() -> Path:
    return data_folder() / "ledger.sqlite3"


def results_folder(ledger: Path) -> Path:
    """Where the jobs of a ledger keep their rejects, large values and outputs."""
    return ledger.with_name(f"{ledger.stem}.results")


def shown_source(job: Job) -> str:
    """Where the job's workload is, as its owner would say it: a file's absolute path, or an object's address."""
    return job.source.key if job.source.key.startswith("/") else f"s3://{job.source}"
