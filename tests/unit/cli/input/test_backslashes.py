"""A Windows path loses its backslashes outside of quotes: whoever writes one is told so, wherever the workload runs."""

from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner

from cli.input.uploads import warn_of_backslashes
from cli.main import cloudkon_cli
from cloudkon.errors import InputError

SAID = (
    r"Line 2 holds C:\tools\run.exe: outside of quotes a backslash only quotes what follows it, and is gone when the "
    r"task runs. Write 'C:\tools\run.exe' in single quotes, or with / in its place."
)
LINES = "sleep 0\nresize C:\\tools\\run.exe\n"


@pytest.fixture
def workload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    path = tmp_path / "tasks.txt"
    path.write_text(LINES)
    return path


def test_a_local_run_tells_of_windows_paths(workload: Path) -> None:
    """On standard error, once, and the run goes on as it is written."""
    answer = CliRunner().invoke(cloudkon_cli, ["run", "LOCAL", str(workload)])
    assert answer.stderr.splitlines()[0] == SAID
    assert answer.stderr.count("outside of quotes") == 1


def test_submit_tells_of_windows_paths_before_it_uploads(workload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is too late to learn of it on the workers."""

    def no_cloud(*_: object) -> NoReturn:
        raise InputError("nothing was uploaded")

    monkeypatch.setattr("cli.running.submit.cloud", no_cloud)
    answer = CliRunner().invoke(cloudkon_cli, ["submit", str(workload)])
    assert answer.stderr.splitlines()[0] == SAID
    assert "nothing was uploaded" in answer.stderr


@pytest.mark.parametrize(
    "line",
    [
        r"resize 'C:\tools\run.exe'",
        r'resize "C:\\tools"',
        "resize C:/tools",
        r'{"task": "a", "args": ["C:\\a"]}',
        "a b\\ c",
    ],
)
def test_what_keeps_its_backslashes_is_not_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Quoted paths, JSON, and backslashes that quote something on purpose."""
    path = tmp_path / "tasks.txt"
    path.write_text(line + "\n")
    warn_of_backslashes(path)
    assert capsys.readouterr().err == ""
