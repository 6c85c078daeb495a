"""The file of --results never takes the place of anything else, and whoever reads it finds whole lines."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cli.running.results_file import STDOUT, ResultsFile
from cloudkon.errors import CloudKonError, InputError


def result(number: int, **more: Any) -> dict[str, Any]:
    return {"task": number, "state": "succeeded", "duration_ms": number / 8, "runs": 1, **more}


def lines_of(path: Path) -> list[int]:
    return [json.loads(line)["task"] for line in path.read_text().splitlines()]


def test_nothing_is_made_before_begin(tmp_path: Path) -> None:
    """Until the run may begin, there is no file."""
    ResultsFile(tmp_path / "done")
    assert list(tmp_path.iterdir()) == []


def test_each_task_has_one_line(tmp_path: Path) -> None:
    """A task that is told of twice is written once, and the file grows by whole lines."""
    with ResultsFile(tmp_path / "done") as results:
        results.begin(io.StringIO())
        results.write([result(1), result(2)])
        results.write([result(2), result(9_999_999), result(3)])
        assert lines_of(tmp_path / "done") == [1, 2, 9_999_999, 3]


@pytest.mark.parametrize("spelling", ["name", "other spelling", "symlink", "hard link", "folder link"])
def test_the_workload_is_refused_under_every_name(tmp_path: Path, spelling: str) -> None:
    """Another spelling and every kind of link lead to the same file."""
    workload = tmp_path / "tasks.txt"
    workload.write_text("sleep 0\n")
    (tmp_path / "here").symlink_to(tmp_path)
    (tmp_path / "symlink").symlink_to(workload)
    (tmp_path / "hard link").hardlink_to(workload)
    names = {
        "name": workload,
        "other spelling": tmp_path / "here" / ".." / tmp_path.name / "tasks.txt",
        "folder link": tmp_path / "here" / "tasks.txt",
    }
    with pytest.raises(InputError, match="is the workload, and would be overwritten"):
        ResultsFile(names.get(spelling, tmp_path / spelling), apart_from={"the workload": workload}, resume=True)
    assert workload.read_text() == "sleep 0\n"


def test_a_ledger_that_is_still_to_be_made_is_refused(tmp_path: Path) -> None:
    """A name that the ledger will have is its own already."""
    (tmp_path / "here").symlink_to(tmp_path)
    with pytest.raises(InputError, match="is the ledger"):
        ResultsFile(tmp_path / "here" / "ledger.db", apart_from={"the ledger": tmp_path / "ledger.db"})


def test_a_file_that_became_the_ledger_is_refused(tmp_path: Path) -> None:
    """On a disk that takes two spellings for one name, that shows when the ledger is there."""
    ledger = tmp_path / "ledger.db"
    results = ResultsFile(tmp_path / "LEDGER.DB", apart_from={"the ledger": ledger})
    ledger.touch()
    (tmp_path / "LEDGER.DB").hardlink_to(ledger)
    with pytest.raises(InputError, match="is the ledger"):
        results.begin(io.StringIO())


def test_what_holds_something_is_not_overwritten(tmp_path: Path) -> None:
    """Results of another run are refused and stay; an empty file, as mktemp makes it, is taken."""
    path = tmp_path / "done"
    path.touch()
    ResultsFile(path)
    path.write_text("another run's\n")
    with pytest.raises(InputError, match="it holds something already, which is not overwritten"):
        ResultsFile(path)
    assert path.read_text() == "another run's\n"


def test_what_came_to_hold_something_is_not_overwritten(tmp_path: Path) -> None:
    """A file that another run began between the check and the beginning is left to it."""
    results = ResultsFile(tmp_path / "done")
    (tmp_path / "done").write_text("another run's\n")
    with pytest.raises(InputError, match="not overwritten"):
        results.begin(io.StringIO())
    assert (tmp_path / "done").read_text() == "another run's\n"


def test_a_resumed_run_writes_its_file_anew_and_goes_on(tmp_path: Path) -> None:
    """What the ledger holds is in the file from the beginning, and what a crash cut off is not."""
    path = tmp_path / "done"
    path.write_text(f"{json.dumps(result(2))}\n" + '{"task": 5, "sta')
    path.chmod(0o600)
    with ResultsFile(path, resume=True) as results:
        results.begin(io.StringIO(), [[result(1)], [result(2), result(3)]])
        assert lines_of(path) == [1, 2, 3]
        results.write([result(3), result(4)])
    assert lines_of(path) == [1, 2, 3, 4]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["done"]


@pytest.mark.parametrize(
    "content", ["notes of mine\n", "[1]\n", '{"task": 2}\n', json.dumps(result(2, duration_ms=7)) + "\n", "[" * 9_999]
)
def test_resuming_overwrites_nothing_but_results_of_the_job(tmp_path: Path, content: str) -> None:
    """What the job cannot have written stays as it is."""
    path = tmp_path / "done"
    path.write_text(content)
    with ResultsFile(path, resume=True) as results, pytest.raises(InputError, match="something else than results"):
        results.begin(io.StringIO(), [[result(1)], [result(2)]])
    assert path.read_text() == content
    assert [each.name for each in tmp_path.iterdir()] == ["done"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    """A resumed run replaces the file that a link leads to, not the link."""
    (tmp_path / "done").write_text(json.dumps(result(1)) + "\n")
    (tmp_path / "link").symlink_to("done")
    with ResultsFile(tmp_path / "link", resume=True) as results:
        results.begin(io.StringIO(), [[result(1), result(2)]])
    assert (tmp_path / "link").is_symlink()
    assert lines_of(tmp_path / "done") == [1, 2]


@pytest.mark.parametrize("name", ["nosuch/done", "file/done", "folder"])
def test_what_cannot_be_a_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    """A folder that is missing, or no folder, or one in place of the file, is told before anything runs."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="it can't be written: "):
        ResultsFile(tmp_path / name)


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written of a line when the disk became full is taken back."""
    path, whole = tmp_path / "done", os.write
    results = ResultsFile(path)
    results.begin(io.StringIO())
    results.write([result(1)])
    room = iter([10])

    def fill(descriptor: int, data: bytes) -> int:
        if not (left := next(room, 0)):
            raise OSError(28, "No space left on device")
        return whole(descriptor, data[:left])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fill)
        with pytest.raises(CloudKonError, match=r"No space left on device\. What was recorded is kept"):
            results.write([result(2)])
    results.close()
    assert lines_of(path) == [1]


def test_a_dash_is_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines go to the stream that begin is given, and no file is made."""
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with ResultsFile(STDOUT) as results:
        results.begin(out)
        results.write([result(1)])
    assert json.loads(out.getvalue()) == result(1)
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_written_to(tmp_path: Path) -> None:
    """What is no regular file, such as /dev/null or a link to it, is opened as it is."""
    (tmp_path / "null").symlink_to(os.devnull)
    with ResultsFile(tmp_path / "null") as results:
        results.begin(io.StringIO())
        results.write([result(1)])
    assert (tmp_path / "null").is_symlink()
