"""The log of a run in GNU parallel's columns."""

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cli.running.joblog import HEADER, joblog_lines


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["run", "LOCAL", *arguments], catch_exceptions=False)


def rows(path: str) -> list[list[str]]:
    header, *lines = Path(path).read_text(encoding="utf-8").splitlines()
    assert header == HEADER
    return sorted((line.split("\t") for line in lines), key=lambda row: int(row[0]))


def test_each_task_has_its_line_when_the_run_ends() -> None:
    """Number, exit code and command of each task are told, of those that failed as well; a second run writes anew."""
    assert run("--joblog", "log.tsv", "--", "echo {}; exit {}", ":::", "0", "3").exit_code == 1
    assert [(row[0], row[6], row[7], row[8]) for row in rows("log.tsv")] == [
        ("1", "0", "0", "echo '0'; exit '0'"),
        ("2", "3", "0", "echo '3'; exit '3'"),
    ]
    assert run("--joblog", "log.tsv", "--", "printf", "%s", "{}", ":::", "a b").exit_code == 0
    [row] = rows("log.tsv")
    assert (row[5], row[6], row[8]) == ("3", "0", "printf %s 'a b'")
    assert float(row[2]) > 1_700_000_000


@pytest.mark.skipif(shutil.which("parallel") is None, reason="GNU parallel is not installed")
def test_the_columns_are_those_of_gnu_parallel() -> None:
    """Header, numbers and exit codes are those that the real program writes for the same commands."""
    command = ["parallel", "--will-cite", "--plain", "--joblog", "theirs.tsv", "exit {}", ":::", "0", "3", "7"]
    subprocess.run(command, capture_output=True, check=False)
    run("--joblog", "ours.tsv", "--", "exit {}", ":::", "0", "3", "7")
    assert [(row[0], *row[4:8]) for row in rows("ours.tsv")] == [(row[0], *row[4:8]) for row in rows("theirs.tsv")]
    assert {len(row) for row in rows("ours.tsv")} == {len(row) for row in rows("theirs.tsv")}


def test_signals_and_other_failures_are_told_apart() -> None:
    """A signal has its column, and what failed without an exit code counts as 1."""
    task = {"task": 1, "runs": 1, "start_ms": 0, "duration_ms": 1500.0, "worker": "vm-12-ab", "state": "failed"}
    told = [
        task | {"error": "killed by signal 9", "text": "shell x"},
        task | {"error": "ValueError: no", "text": '{"task": "t", "args": ["a"]}'},
        task | {"runs": 0, "error": "rejected"},
    ]
    assert list(joblog_lines(told))[1:] == [
        "1\tvm-12\t0.000\t     1.500\t0\t0\t0\t9\tx",
        '1\tvm-12\t0.000\t     1.500\t0\t0\t1\t0\t{"task": "t", "args": ["a"]}',
    ]


def test_a_file_that_is_no_log_is_not_overwritten() -> None:
    """What holds something else, and what can't be written, is refused before anything runs."""
    Path("mine.txt").write_text("precious\n", encoding="utf-8")
    for path, told in (("mine.txt", "would be overwritten"), ("no/such/log", "can't be written")):
        answer = run("--joblog", path, "--", "true", "{}", ":::", "a")
        assert answer.exit_code == 2
        assert told in answer.stderr
    assert Path("mine.txt").read_text(encoding="utf-8") == "precious\n"
