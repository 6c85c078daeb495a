"""`run LOCAL --processes`: right whoever is killed, and a task that kills its workers is found within seconds."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import run_cli
from tests.support.worlds.local_runs import (
    MODULE,
    TASKS,
    assert_all_recorded,
    await_runs,
    in_the_background,
    recorded,
    runs_of,
    write_workload,
)

PATIENCE_S = 60
PROCESSES = 2
HANDLERS = """
import os, signal, time
from pathlib import Path
from cloudkon import task

@task("poison")
def poison(kind):
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(0)

@task("who")
def who():
    time.sleep(0.05)
    return os.getpid()
"""


@pytest.fixture
def workload(tmp_path: Path, trace: Path) -> Path:
    """Tasks that leave a trace of each of their runs."""
    path = write_workload(tmp_path, trace, bundle=10)
    (tmp_path / "h.py").write_text(HANDLERS)
    return path


def arguments(workload: Path, *more: str) -> list[str]:
    modules = ["--tasks", MODULE, "--tasks", str(workload.with_name("h.py"))]
    return ["run", "LOCAL", str(workload), "--processes", str(PROCESSES), *modules, "--json", *more]


@contextmanager
def running(environment: dict[str, str], workload: Path, *more: str) -> "Iterator[subprocess.Popen[str]]":
    """A LOCAL run in the background."""
    with in_the_background(environment, arguments(workload, *more)) as run:
        yield run


def children(pid: int) -> list[int]:
    """The worker processes of a run."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                stat = (each / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(each.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_every_task_runs_once_in_several_processes(environment: dict[str, str], workload: Path) -> None:
    """All processes take part, and what they return is recorded."""
    workload.write_text("#cloudkon: bundle=1\n" + "who\n" * 60)
    answer = run_cli(environment, *arguments(workload, "--results", "-"))
    assert answer.returncode == 2
    results = workload.with_name("done.jsonl")
    answer = run_cli(environment, *arguments(workload, "--results", str(results)))
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert sorted(line["task"] for line in lines) == list(range(2, 62))
    assert len({line["value"] for line in lines}) == PROCESSES


@pytest.mark.parametrize("kind", ["killed", "left"])
def test_a_task_that_kills_its_workers_is_found_within_seconds(
    environment: dict[str, str], workload: Path, kind: str
) -> None:
    """Its strikes name it, all its neighbours succeed, and nobody waits for a lease or for a message to come back."""
    environment |= {"CLOUDKON_LEASE_S": "40000"}
    workload.write_text("#cloudkon: bundle=4\n" + "sleep 0\n" * 9 + f"poison {kind}\n" + "sleep 0\n" * 9)
    with running(environment, workload) as run:
        out, said = run.communicate(timeout=PATIENCE_S)
    tasks = json.loads(out)["tasks"]
    assert (tasks["succeeded"], tasks["failed"]) == (18, 1)
    (failed,) = run_cli(environment, "results", "--state", "failed", "--json").stdout.splitlines()
    assert json.loads(failed)["task"] == 11
    assert "its worker died 2 times while it ran" in json.loads(failed)["error"]
    assert said.count("another takes its place") == 3


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_process_that_is_ended_is_replaced(
    environment: dict[str, str], workload: Path, trace: Path, number: signal.Signals
) -> None:
    """However it is ended, nothing is lost, and no more is repeated than what it had not written down."""
    environment |= {"CLOUDKON_LEASE_S": "40000"}
    with running(environment, workload) as run:
        for count in (TASKS // 4, TASKS // 2):
            await_runs(trace, count)
            os.kill(children(run.pid)[0], number)
        out, said = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 0, said
    assert_all_recorded(json.loads(out))
    assert said.count("another takes its place") == 2
    runs = runs_of(trace)
    assert runs.keys() == set(range(TASKS))
    if number is signal.SIGTERM:
        assert set(runs.values()) == {1}


def test_a_killed_run_takes_its_workers_along_and_is_resumed(
    environment: dict[str, str], workload: Path, trace: Path
) -> None:
    """After kill -9 of the parent no process is left that could still run something, and --resume does the rest."""
    with running(environment, workload) as run:
        await_runs(trace, TASKS // 4)
        workers = children(run.pid)
        run.kill()
        run.wait()
        eventually(lambda: not any(map(is_alive, workers)))
    assert len(workers) == PROCESSES
    begun = recorded(environment)
    assert begun["tasks"]["succeeded"] < TASKS
    answer = run_cli(environment, *arguments(workload, "--resume"))
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["job"] == begun["job"]
    assert_all_recorded(json.loads(answer.stdout))


def test_an_interrupted_run_repeats_nothing(environment: dict[str, str], workload: Path, trace: Path) -> None:
    """Ctrl-C reaches the parent alone; its workers finish what has begun, and the command that goes on is told."""
    with running(environment, workload) as run:
        await_runs(trace, TASKS // 4)
        run.send_signal(signal.SIGINT)
        out, said = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, out) == (130, "")
    assert "--processes 2" in said.splitlines()[-1]
    answer = run_cli(environment, *said.splitlines()[-1].split()[1:], "--json")
    assert answer.returncode == 0, answer.stderr
    assert_all_recorded(json.loads(answer.stdout))
    assert set(runs_of(trace).values()) == {1}


def test_processes_that_cannot_work_end_the_run(environment: dict[str, str], workload: Path, tmp_path: Path) -> None:
    """What is missing in each of them is told once the third has died of it, instead of a run that never ends."""
    (tmp_path / "odd.py").write_text(
        "import os, sys\nfrom cloudkon import task\nif sys.argv[0] == '-c':\n"
        "    os._exit(7)\n@task('odd')\ndef odd(): pass\n"
    )
    answer = run_cli(environment, *arguments(workload, "--tasks", str(tmp_path / "odd.py")))
    assert answer.returncode == 1
    assert "Error: The worker processes can't work here: the last one ended with exit code 7" in answer.stderr


def test_what_processes_print_is_shown_above_the_bar(environment: dict[str, str], workload: Path) -> None:
    """On a terminal a line that a task prints in another process begins a line, and does not run into the bar."""
    Path(workload).write_text("say spoken\n" * 6, encoding="utf-8")
    workload.with_name("h.py").write_text(
        "import time\nfrom cloudkon import task\n@task\ndef say(word):\n    time.sleep(0.2)\n    print(word)\n",
        encoding="utf-8",
    )
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cli.main", *arguments(workload)[:-1]]
    with subprocess.Popen(command, env=environment | {"TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the end of a terminal is an error
            while chunk := os.read(ours, 65_536):
                shown += chunk
    os.close(ours)
    assert shown.count(b"spoken") == 6
    assert b"%" in shown, "there is a bar"
    assert re.search(rb"%[^\r\n]*spoken", shown) is None
