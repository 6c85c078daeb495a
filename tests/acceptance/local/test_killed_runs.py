"""`kill -9` of a whole run is no task's fault, however often; a task that kills its process is found all the same."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import run_cli

KILLS = 4
PATIENCE_S = 30
MODULE = """
import os, signal, time
from pathlib import Path
from cloudkon import task

@task("linger")
def linger(begun):
    Path(begun).touch()
    time.sleep(0.3)

@task("poison")
def poison(kind, beside):
    while beside and not Path(beside).exists():
        time.sleep(0.01)
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(0)
"""


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    (tmp_path / "h.py").write_text(MODULE)
    return tmp_path / "tasks.txt"


def arguments(workload: Path, *more: str) -> list[str]:
    modules = ["--tasks", "tests.support.data.user_tasks", "--tasks", str(workload.with_name("h.py"))]
    return ["run", "LOCAL", str(workload), "-t", "2", *modules, "--json", *more]


@contextmanager
def running(environment: dict[str, str], workload: Path, *more: str) -> "Iterator[subprocess.Popen[str]]":
    """A LOCAL run in the background."""
    command = [sys.executable, "-m", "cli.main", *arguments(workload, *more)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            yield run
        finally:
            run.kill()


@pytest.mark.parametrize("more", [(), ("--processes", "1")])
def test_kills_from_outside_condemn_no_task(
    environment: dict[str, str], workload: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """The same two tasks are running each time that the run is killed, and in the end all have succeeded."""
    begun, until = [tmp_path / "begun-1", tmp_path / "begun-2"], tmp_path / "until"
    held = [f"hold {file} {until}\n" for file in begun]
    workload.write_text("#cloudkon: bundle=2\n" + held[0] + "sleep 0\n" + held[1] + "sleep 0\n")
    for number in range(KILLS):
        for file in begun:
            file.unlink(missing_ok=True)
        with running(environment, workload, *more, *(["--resume"] if number else [])) as run:
            eventually(lambda: all(file.exists() for file in begun))
            run.kill()
    until.touch()
    answer = run_cli(environment, *arguments(workload, *more, "--resume"))
    said = "The run before was killed while 2 tasks ran (lines 2, 4). None is blamed.\n"
    assert (answer.returncode, answer.stderr) == (0, said)
    assert json.loads(answer.stdout)["tasks"]["succeeded"] == 4


@pytest.mark.parametrize("kind", ["killed", "left"])
def test_a_task_that_kills_its_run_is_found_by_resuming_it_once(
    environment: dict[str, str], workload: Path, kind: str
) -> None:
    """The run dies with it, and the resumed one, whose tasks run in another process, finds it and runs all others."""
    workload.write_text("#cloudkon: bundle=4\n" + "sleep 0\n" * 9 + f"poison {kind} ''\n" + "sleep 0\n" * 9)
    with running(environment, workload) as run:
        run.communicate(timeout=PATIENCE_S)
    answer = run_cli(environment, *arguments(workload, "--resume"))
    tasks = json.loads(answer.stdout)["tasks"]
    assert (answer.returncode, tasks["succeeded"], tasks["failed"]) == (1, 18, 1)
    (failed,) = run_cli(environment, "results", "--state", "failed", "--json").stdout.splitlines()
    assert (json.loads(failed)["task"], json.loads(failed)["error"]) == (11, "its worker died 2 times while it ran")
    assert answer.stderr.count("another takes its place") == 2


def test_what_runs_beside_a_task_that_kills_is_not_blamed(
    environment: dict[str, str], workload: Path, tmp_path: Path
) -> None:
    """A long task of another bundle is running at each death, until both are suspects and each is run alone."""
    begun = tmp_path / "begun"
    workload.write_text(f"#cloudkon: bundle=1\nlinger {begun}\npoison killed {begun}\nsleep 0\n")
    answer = run_cli(environment, *arguments(workload, "--processes", "1"))
    results = [json.loads(line) for line in run_cli(environment, "results", "--json").stdout.splitlines()]
    assert answer.returncode == 1
    assert {line["task"]: line["state"] for line in results} == {2: "succeeded", 3: "failed", 4: "succeeded"}
