"""Where this machine keeps what outlives a command: the ledger, what is too large for it, and the embedded cloud."""

import os
import re
from pathlib import Path

from cloudkon.ledger.job import Job
from cloudkon.local import paths
from cloudkon.printable import one_line

_KEPT_INPUT = re.compile(r"\.results/stdin/[0-9a-f]+/([^/]+)$")
"""Where the workload of a run is kept that came through a pipe."""


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
    """Where the job's workload was, as its owner would say it: a file's absolute path, or an object's address."""
    if not job.source.is_file:
        return f"s3://{job.source}"
    kept = _KEPT_INPUT.search(job.source.key)
    if kept is None:
        return one_line(job.source.key, None)
    return "standard input" if kept[1] == "stdin.txt" else one_line(kept[1], None)
