"""-q and -v: how much a command says on stderr."""

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    Path("tasks.txt").write_text("sleep 0\nsleep x\n", encoding="utf-8")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, [*arguments], catch_exceptions=False)


def test_a_quiet_command_says_nothing_but_errors() -> None:
    """With -q the outcome and the exit code are as ever, and what is said beside them is not; errors are told."""
    loud, quiet = run("run", "LOCAL", "tasks.txt"), run("-q", "run", "LOCAL", "tasks.txt")
    assert loud.stderr
    assert quiet.stderr == ""
    assert (quiet.exit_code, quiet.stdout[:16]) == (loud.exit_code, loud.stdout[:16])
    assert run("-q", "run", "LOCAL", "no.txt").stderr == "Error: no.txt does not exist.\n"


def test_a_verbose_command_shows_the_logs_of_its_parts() -> None:
    """With -v what our parts log is on stderr, and only while the command runs."""
    Path("broken.gz").write_bytes(gzip.compress(b"sleep 0\n") + b"garbage")
    told = run("-v", "run", "LOCAL", "broken.gz").stderr
    assert "WARNING dispatcher.ranges: The gzipped workload has more behind its end" in told
    assert "WARNING dispatcher.ranges" not in run("run", "LOCAL", "broken.gz").stderr


def test_quiet_and_verbose_are_not_both() -> None:
    """Both at once are refused."""
    answer = run("-q", "-v", "jobs")
    assert answer.exit_code == 2
    assert "contradict each other" in answer.stderr
