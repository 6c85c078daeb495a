"""Streams that are closed, full or ended, and a machine that has nothing left: a line on stderr, the right exit code,
and nothing that was recorded is lost.
"""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.worlds.embedded_aws import run_cli

CLI = shlex.join([sys.executable, "-m", "cli.main"])
TASKS = 3_000
MODULE = """
import os, sys
from cloudkon import task

print("loading")

@task("say")
def say(): print("hello"); os.system("echo from a child")

@task("close1")
def close1(): os.close(1)

@task("close_stdout")
def close_stdout(): sys.stdout.close()
"""


def shell(environment: dict[str, str], script: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """A line of bash in which CLI is the command line."""
    environment = {**environment, "PYTHONPATH": str(Path.cwd())}
    command = ["bash", "-c", script.replace("CLI", CLI)]
    return subprocess.run(
        command,
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with workloads and a module of handlers."""
    (tmp_path / "t.txt").write_text("sleep 0\n" * TASKS)
    (tmp_path / "one.txt").write_text("sleep 0\n")
    (tmp_path / "h.py").write_text(MODULE)
    return tmp_path


def recorded(environment: dict[str, str]) -> int:
    answer = run_cli(environment, "stats", "--json")
    assert answer.returncode == 0, answer.stderr
    return int(json.loads(answer.stdout)["tasks"]["succeeded"])


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("CLI run LOCAL one.txt --json >/dev/full", 1, "Error: standard output: No space left on device."),
        ("CLI run LOCAL one.txt >&-", 1, "Error: standard output: Bad file descriptor."),
        ("CLI run LOCAL one.txt 2>&- && CLI stats >/dev/full", 1, "Error: standard output: No space left on device."),
        ("CLI run LOCAL one.txt --json >&-", 1, "Error: standard output: Bad file descriptor."),
        ("CLI run LOCAL one.txt --results - >/dev/full", 1, "Error: --results -: it can't be written: No space left"),
        (
            "CLI run LOCAL one.txt --results /dev/full",
            1,
            "Error: --results /dev/full: it can't be written: No space left",
        ),
        ("CLI run LOCAL one.txt 2>&-", 0, ""),
        ("CLI run LOCAL one.txt 2>/dev/full", 0, ""),
        ("CLI run LOCAL one.txt <&- 2>&1 >/dev/null", 0, ""),
        ("CLI run LOCAL one.txt --json <&- >&- 2>&-", 1, ""),
    ],
)
def test_streams_that_cannot_be_written(
    environment: dict[str, str], folder: Path, script: str, code: int, said: str
) -> None:
    """The task is run and recorded, whoever can't be told of it."""
    answer = shell(environment, script, folder)
    assert (answer.returncode, answer.stderr[: len(said)]) == (code, said)
    assert code == 0 or answer.stderr.count("\n") == (1 if said else 0)
    assert recorded(environment) == 1


@pytest.mark.parametrize(
    "script",
    ["CLI results | head -1", "CLI run LOCAL t.txt --results - --resume | head -1", "CLI results --json | head -1"],
)
def test_a_reader_that_went_away(environment: dict[str, str], folder: Path, script: str) -> None:
    """As with every other command, nothing is said of it, and what was recorded stays."""
    assert shell(environment, "CLI run LOCAL t.txt", folder).returncode == 0
    answer = shell(environment, script, folder)
    assert answer.stderr == ""
    assert answer.stdout.count("\n") == 1
    assert recorded(environment) == TASKS


@pytest.mark.parametrize("task", ["say", "close1", "close_stdout"])
def test_what_handlers_do_to_standard_output(environment: dict[str, str], folder: Path, task: str) -> None:
    """Data alone is on standard output, whatever handlers and their children print there, or if they close it."""
    (folder / "tasks.txt").write_text(f"{task}\n{task}\n")
    answer = shell(environment, "CLI run LOCAL tasks.txt --tasks h.py -t 1 --json", folder)
    assert json.loads(answer.stdout)["tasks"]["total"] == 2
    assert "loading" in answer.stderr
    lines = shell(environment, "CLI run LOCAL tasks.txt --tasks h.py -t 1 --results -", folder)
    assert sorted(json.loads(line)["task"] for line in lines.stdout.splitlines()) == [1, 2]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("ulimit -v 2500000; CLI run LOCAL one.txt -t 500", "Error: No more threads can be started here."),
        ("ulimit -n 7; CLI run LOCAL one.txt", "Error: "),
        ("ulimit -n 12; CLI run LOCAL one.txt --processes 2", "Error: "),
        ("mkdir d; cd d; rmdir ../d; CLI run LOCAL one.txt", "Error: one.txt does not exist."),
        ("CLI run LOCAL one.txt --ledger /dev/null/x/ledger", "Error: /dev/null/x/ledger can't be used as a ledger: "),
        ("unset CLOUDKON_HOME; HOME=/dev/null/x CLI run LOCAL one.txt", "Error: /dev/null/x/.local/share/cloudkon"),
        ("CLI run LOCAL - <&-", "Error: - (standard input) can't be read: Bad file descriptor."),
        ("CLI run LOCAL - </dev/zero", "Error: - (standard input) is a binary file."),
        ("CLI run LOCAL one.txt --results one.txt", "Error: --results one.txt is the workload"),
        ("CLI run LOCAL one.txt --ledger one.txt", "Error: --ledger one.txt is the workload"),
        ("CLI run LOCAL one.txt --results l --ledger l", "Error: --results l is the ledger"),
    ],
)
def test_what_cannot_be_done_is_one_line(environment: dict[str, str], folder: Path, script: str, said: str) -> None:
    """Nothing is half done, and no traceback tells a person that the machine is at its end."""
    answer = shell(environment, script, folder)
    assert answer.returncode in (1, 2)
    assert answer.stderr.startswith(said)
    assert answer.stderr.count("\n") == 1
    assert (folder / "one.txt").read_text() == "sleep 0\n"


def test_a_run_in_a_folder_that_is_gone(environment: dict[str, str], folder: Path) -> None:
    """What is named by its whole path runs from anywhere."""
    script = f"mkdir d; cd d; rmdir ../d; CLI run LOCAL {folder}/tasks.txt --tasks h"
    (folder / "tasks.txt").write_text("say\n")
    assert shell(environment, script, folder).returncode == 0


@pytest.mark.parametrize("name", [b"caf\xe9.txt", b"new\nline.txt", b"-dash.txt", "wörter 日本.txt".encode()])
def test_names_of_every_kind(environment: dict[str, str], folder: Path, name: bytes) -> None:
    """A name that is no UTF-8, has a line break in it or begins with a dash runs, is shown, and is found again."""
    path = Path(folder.as_posix()) / name.decode(errors="surrogateescape")
    path.write_text("sleep 0\nsleep x\n")
    quoted = shlex.quote(path.name)
    assert shell(environment, f"CLI run LOCAL -s {quoted}", folder).returncode == 1
    assert shell(environment, f"CLI run LOCAL --resume -- {quoted}", folder).returncode == 1
    for command in ("stats", "stats --json", "results", "status", "jobs", "failed", "export-failed"):
        answer = shell(environment, f"CLI {command} >out", folder)
        assert (answer.returncode, "Traceback" in answer.stderr) == (0, False), answer.stderr
    assert (folder / "out").read_text() == "sleep x\n"
