"""sweep, over a ledger file and its folder."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cli.system.paths import results_folder
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.store import FolderStore
from tests.support.worlds.local_jobs import EVENT_MS, write_job

JOB = "local-videos-abc"
RUN = f"outputs/{JOB}/00000.000000/1"


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    for name in ("CLOUDKON_STAGE", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The results of a job whose first task stored a video, and whose second one failed behind its own."""
    file = tmp_path / "data" / "ledger.sqlite3"
    ledger = SqliteLedger(file, guard_ms=2_000)
    made = TaskResult(TaskState.SUCCEEDED, EVENT_MS + 100, 5_000, 1, output=f"{RUN}/0/video.mp4")
    write_job(ledger, JOB, results=[made, replace(made, state=TaskState.FAILED, output=None, error="no")])
    store = FolderStore(results_folder(file))
    for index in (0, 1):
        store.write(f"{RUN}/{index}/video.mp4", b"frames")
        os.utime(results_folder(file) / f"{RUN}/{index}/video.mp4", (1e9, 1e9))
    yield results_folder(file)
    ledger.close()


def sweep(*arguments: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["sweep", JOB, *arguments])


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_nothing_is_deleted_unasked(folder: Path) -> None:
    """Orphans are shown with their reason, and how to delete them is said."""
    answer = sweep()
    assert answer.exit_code == 0
    assert f"{RUN}/1/video.mp4" in answer.stdout
    assert "of a run that failed" in answer.stdout
    assert f"{RUN}/0/video.mp4" not in answer.stdout
    assert f"Nothing was deleted. Delete it for good: cloudkon-cli sweep {JOB} --yes" in answer.stderr
    assert len(files(folder)) == 2


def test_what_is_meant_is_deleted(folder: Path) -> None:
    """With --yes the orphans go, what a result names stays, and there is nothing to do after that."""
    [told] = [json.loads(line) for line in sweep("--yes", "--json").stdout.splitlines()]
    assert told == {
        "key": f"{RUN}/1/video.mp4", "why": "failed", "since_ms": 10**12, "removed": True, "size_bytes": 6
    }  # fmt: skip
    assert files(folder) == [f"{RUN}/0/video.mp4"]
    answer = sweep("--yes")
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert answer.stderr == f"Nothing of {JOB} is to be swept.\n"


def test_young_files_stay(folder: Path) -> None:
    """What is younger than a lease is not touched, and counted."""
    (folder / f"{RUN}/1/video.mp4").write_bytes(b"other frames")
    answer = sweep("--yes")
    assert "1 more are younger than a lease, 120 s." in answer.stderr
    assert len(files(folder)) == 2


def test_what_cannot_be_deleted_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the store keeps is an error that names it."""
    monkeypatch.setattr(FolderStore, "remove", lambda _, what: [each.key for each in what])
    answer = sweep("--yes", "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["removed"] is False
    assert f"1 could not be deleted, such as {RUN}/1/video.mp4." in answer.stderr
    assert len(files(folder)) == 2
