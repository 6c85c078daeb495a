"""`results` over tasks that stored files: where they are, links to them, and their download."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.jobs.outputs import download_outputs
from cli.main import cloudkon_cli
from cli.system.paths import results_folder
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.store import FolderStore
from tests.support.worlds.local_jobs import mixed_results, write_job


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    """A ledger with a job whose first and last task stored a file each."""
    file = tmp_path / "data" / "ledger.sqlite3"
    opened = SqliteLedger(file, guard_ms=2_000)
    first, failed, last = mixed_results()
    assert first
    assert last
    made = [replace(result, output=f"outputs/j/b/1/{at}/video.mp4") for at, result in ((0, first), (2, last))]
    write_job(opened, results=[made[0], failed, made[1]])
    opened.close()
    for at in (0, 2):
        video = results_folder(file) / f"outputs/j/b/1/{at}/video.mp4"
        video.parent.mkdir(parents=True)
        video.write_bytes(b"video %d" % at)
    return file


def run(ledger_file: Path, *arguments: str) -> Result:
    command = ["results", "--ledger", str(ledger_file), *arguments]
    return CliRunner().invoke(cloudkon_cli, command, catch_exceptions=False)


def test_outputs_are_shown_where_they_are(ledger_file: Path) -> None:
    """A task's output is shown by its file, whole, however long its path, and as JSON by key and file."""
    place = results_folder(ledger_file) / "outputs/j/b/1/0/video.mp4"
    for options in ([], ["--presign", "1h"]):
        assert run(ledger_file, *options).stdout.splitlines()[0].endswith(f"12.3 ms  {place}")
    first, failed, _ = map(json.loads, run(ledger_file, "--json").stdout.splitlines())
    assert (first["output"], first["link"]) == ("outputs/j/b/1/0/video.mp4", str(place))
    assert failed.keys().isdisjoint({"output", "link"})


def test_outputs_are_downloaded(ledger_file: Path, tmp_path: Path) -> None:
    """Each output becomes a file named by its task's line; nothing else is left in the folder, and stderr is quiet."""
    folder = tmp_path / "videos" / "of june"
    answer = run(ledger_file, "--download", str(folder))
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "1-video.mp4": b"video 0",
        "3-video.mp4": b"video 2",
    }
    assert str(folder / "3-video.mp4") in answer.stdout.splitlines()[2]


def test_what_stands_beside_an_output_is_downloaded(ledger_file: Path, tmp_path: Path) -> None:
    """A file of the task's own that its value names comes with its output; what another task stored does not."""
    value = {"sheet": "outputs/j/b/1/0/sheet.jpg", "other": "outputs/j/b/1/2/video.mp4", "frames": 30}
    outcome = {"task": 1, "output": "outputs/j/b/1/0/video.mp4", "value": value}
    store = FolderStore(results_folder(ledger_file))
    store.write("outputs/j/b/1/0/sheet.jpg", b"sheet")
    [told] = download_outputs([outcome], store, tmp_path / "videos")
    assert told["link"] == str(tmp_path / "videos" / "1-video.mp4")
    assert sorted(path.name for path in (tmp_path / "videos").iterdir()) == ["1-sheet.jpg", "1-video.mp4"]


def test_what_can_not_be_downloaded_is_an_error(ledger_file: Path, tmp_path: Path) -> None:
    """A folder that can't be made, and an output that is gone, are told in a line."""
    (tmp_path / "file").write_text("")
    answer = run(ledger_file, "--download", str(tmp_path / "file" / "below"))
    assert (answer.exit_code, answer.stderr.count("\n")) == (2, 1)
    assert "Name a folder that can be written." in answer.stderr
    (results_folder(ledger_file) / "outputs/j/b/1/2/video.mp4").unlink()
    answer = run(ledger_file, "--download", str(tmp_path / "videos"))
    assert answer.exit_code == 1
    assert "video.mp4 does not exist" in answer.stderr
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["1-video.mp4"]


@pytest.mark.parametrize(("said", "reason"), [("1w", "is no duration"), ("0s", "is no duration"), ("8d", "7 days")])
def test_a_link_lasts_a_while(ledger_file: Path, said: str, reason: str) -> None:
    """How long a link opens is a number and a unit, and at most what S3 allows."""
    answer = run(ledger_file, "--presign", said)
    assert answer.exit_code == 2
    assert reason in answer.stderr
