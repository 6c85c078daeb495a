"""LOCAL runs as processes, of tasks that leave a trace of each of their runs."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import run_cli

TASKS = 400
MS = 10
MODULE = "tests.support.data.user_tasks"
"""The handlers."""


def write_workload(folder: Path, trace: Path, *, bundle: int) -> Path:
    path = folder / "tasks.txt"
    path.write_text(
        f"#cloudkon: bundle={bundle}\n" + "".join(f"note {trace} {number} {MS}\n" for number in range(TASKS))
    )
    return path


@contextmanager
def in_the_background(environment: dict[str, str], arguments: Sequence[str]) -> "Iterator[subprocess.Popen[str]]":
    """A command of ours, killed in the end."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            yield run
        finally:
            run.kill()


def runs_of(trace: Path) -> Counter[int]:
    """How often each task has run."""
    return Counter(map(int, trace.read_text().split()))


def await_runs(trace: Path, count: int) -> None:
    eventually(lambda: trace.exists() and sum(runs_of(trace).values()) >= count)


def recorded(environment: dict[str, str]) -> dict[str, Any]:
    """The statistics of the latest job."""
    answer = run_cli(environment, "stats", "--json")
    assert answer.returncode == 0, answer.stderr
    stats: dict[str, Any] = json.loads(answer.stdout)
    return stats


def assert_all_recorded(stats: dict[str, Any]) -> None:
    counts = {"succeeded": TASKS, "failed": 0, "rejected": 0, "running": 0, "pending": 0}
    assert stats["tasks"] == {"total": TASKS, **counts}
    assert stats["state"] == "complete"
