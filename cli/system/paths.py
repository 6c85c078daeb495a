"""Where this machine keeps what outlives a command: the ledger, what is too large for it, and the embedded cloud."""

import os
from pathlib import Path

from cloudkon.ledger.job import Job
from cloudkon.local import paths
from cloudkon.printable import one_line


def data_folder() -> Path:
    """What a person would not want to lose."""
    return paths.data_folder(os.environ)


def state_folder() -> Path:
    """What is of use as long as it runs."""
    return paths.own_folder(os.environ, "XDG_STATE_HOME", "state")


def default_ledger() -> Path:
    return paths.default_ledger(os.environ)


def results_folder(ledger: Path) -> Path:
    """Where the jobs of a ledger keep their rejects, large values and outputs."""
    return paths.results_folder(ledger)


def source_text(job: Job) -> str:
    """Where the job's workload is, as its owner would say it: a file's absolute path, or an object's address."""
    return one_line(job.source.key, None) if job.source.is_file else f"s3://{job.source}"
