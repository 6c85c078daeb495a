"""LOCAL runs as processes: killed, interrupted, started twice; what is recorded stays, and the rest runs again."""

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import run_cli
from tests.support.worlds.local_runs import (
    MODULE,
    MS,
    TASKS,
    assert_all_recorded,
    await_runs,
    in_the_background,
    recorded,
    runs_of,
    write_workload,
)

PATIENCE_S = 30
"""What ends within seconds, or waits for what never comes, is given so long."""


@pytest.fixture
def workload(tmp_path: Path, trace: Path) -> Path:
    """Tasks that leave a trace of each of their runs."""
    return write_workload(tmp_path, trace, bundle=50)


def arguments(workload: Path, *more: str) -> list[str]:
    return ["run", "LOCAL", "-s", str(workload), "-t", "2", "--tasks", MODULE, "--json", *more]


@contextmanager
def running(environment: dict[str, str], workload: Path, *more: str) -> "Iterator[subprocess.Popen[str]]":
    """A LOCAL run in the background."""
    with in_the_background(environment, arguments(workload, *more)) as run:
        yield run


def assert_recorded_once(stats: dict[str, Any]) -> None:
    assert_all_recorded(stats)
    assert stats["executions"] == TASKS


def test_a_killed_run_is_resumed(environment: dict[str, str], workload: Path, trace: Path) -> None:
    """After kill -9 in the middle, --resume records every task once and repeats no more than a checkpoint's worth.

    It does so at once, though the leases of the run that was killed would have held for hours.
    """
    environment["CLOUDKON_LEASE_S"] = "40000"
    with running(environment, workload) as run:
        await_runs(trace, TASKS // 2)
        run.kill()
    begun = recorded(environment)
    assert 0 < begun["tasks"]["succeeded"] < TASKS
    with running(environment, workload, "--resume") as resumed:
        out, said = resumed.communicate(timeout=PATIENCE_S)
    assert (resumed.returncode, said) == (0, "")
    stats = json.loads(out)
    assert stats["job"] == begun["job"]
    assert_recorded_once(stats)
    runs = runs_of(trace)
    assert runs.keys() == set(range(TASKS))
    assert set(runs.values()) <= {1, 2}
    # What has no record when it is killed: a second since the last checkpoint, and a quarter until the next is due.
    assert sum(runs.values()) - TASKS <= 2 * 1.25 * 1000 / MS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on(
    environment: dict[str, str], workload: Path, trace: Path, number: signal.Signals
) -> None:
    """Ctrl-C finishes what has begun, tells what was kept and the command that goes on, which repeats nothing."""
    with running(environment, workload) as run:
        await_runs(trace, TASKS // 4)
        run.send_signal(number)
        out, said = run.communicate(timeout=120)
    assert (run.returncode, out) == (128 + number, "")
    stopping, kept, command = said.splitlines()
    assert stopping == "Stopping: what has begun is finished first. Ctrl-C again stops at once."
    ended = recorded(environment)["tasks"]["succeeded"]
    assert kept.startswith(f"Kept: the results of {ended:,} tasks of local-tasks-")
    assert 0 < ended < TASKS
    words = command.split()
    assert words[0] == "cloudkon-cli"
    answer = run_cli(environment, *words[1:], "--json")
    assert answer.returncode == 0, answer.stderr
    assert_recorded_once(json.loads(answer.stdout))
    assert set(runs_of(trace).values()) == {1}


def test_a_job_is_run_by_one_process_at_a_time(environment: dict[str, str], workload: Path, tmp_path: Path) -> None:
    """Resuming a job that still runs is refused with who runs it, and disturbs nothing."""
    begun, until = tmp_path / "begun", tmp_path / "until"
    header, _, *others = workload.read_text().splitlines()
    workload.write_text("\n".join([header, f"hold {begun} {until}", *others]))
    with running(environment, workload) as run:
        eventually(begun.exists)
        # Two that ran together would take each other's bundles, and one of them wait for ever.
        with running(environment, workload, "--resume") as refused:
            nothing, why = refused.communicate(timeout=PATIENCE_S)
        assert (refused.returncode, nothing) == (2, "")
        assert why.startswith(f"Error: Process {run.pid} is running local-tasks-")
        assert why.count("\n") == 1
        until.touch()
        out, _ = run.communicate(timeout=PATIENCE_S)
    assert_recorded_once(json.loads(out))


@pytest.mark.parametrize("packed", [False, True])
def test_a_workload_that_changes_under_a_run_stops_it(
    environment: dict[str, str], tmp_path: Path, *, packed: bool
) -> None:
    """No line of the new content runs, what was recorded is kept, and with the old content back the run goes on."""
    path, begun, until = tmp_path / "long.txt", tmp_path / "begun", tmp_path / "until"
    old = f"#cloudkon: bundle=1\nhold {begun} {until}\n" + f"sleep 0\n#{'x' * 240}\n" * 40_000  # more than one range
    path.write_bytes(gzip.compress(old.encode(), 0) if packed else old.encode())
    with running(environment, path, "-t", "1") as run:
        eventually(begun.exists)
        (tmp_path / "new").write_text(old.replace("sleep 0", "fail"))
        (tmp_path / "new").replace(path)
        until.touch()
        out, said = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, out) == (1, "")
    assert f"Error: {path} has changed while it was run" in said.splitlines()[-1]
    assert recorded(environment)["tasks"]["succeeded"] > 0
    assert recorded(environment)["tasks"]["failed"] == 0


@pytest.mark.parametrize("times", [1, 3])
def test_the_results_file_survives_kills(
    environment: dict[str, str], workload: Path, trace: Path, tmp_path: Path, times: int
) -> None:
    """After each kill -9 its lines can be read, and in the end each task has one."""
    results = tmp_path / "done.jsonl"
    for number in range(times):
        with running(environment, workload, "--results", str(results), *(["--resume"] if number else [])) as run:
            await_runs(trace, (number + 1) * TASKS // (times + 2))
            run.kill()
        for line in results.read_text().splitlines():
            json.loads(line)
    answer = run_cli(environment, *arguments(workload, "--results", str(results), "--resume"))
    assert answer.returncode == 0, answer.stderr
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert sorted(line["task"] for line in lines) == [number + 2 for number in range(TASKS)]


def test_a_refused_run_leaves_the_results_file_of_the_one_that_runs(
    environment: dict[str, str], workload: Path, tmp_path: Path
) -> None:
    """Neither a second run nor one that would resume it touches the file that the first one writes."""
    results, begun, until = tmp_path / "done.jsonl", tmp_path / "begun", tmp_path / "until"
    header, _, *others = workload.read_text().splitlines()
    workload.write_text("\n".join([header, f"hold {begun} {until}", *others]))
    with running(environment, workload, "--results", str(results)) as run:
        eventually(lambda: begun.exists() and results.exists() and results.stat().st_size > 0)
        for more in ([], ["--resume"]):
            answer = run_cli(environment, *arguments(workload, "--results", str(results), *more))
            assert (answer.returncode, answer.stderr.count("\n")) == (2, 1)
        until.touch()
        run.communicate(timeout=PATIENCE_S)
    assert len(results.read_text().splitlines()) == TASKS


def test_a_failed_task_makes_the_run_exit_with_1(environment: dict[str, str], tmp_path: Path) -> None:
    """The results file has a line a task, and the exit code tells of failures; with --json, nothing else is said."""
    workload, results = tmp_path / "mixed.txt", tmp_path / "results.jsonl"
    workload.write_text("#cloudkon: retries=0\nsleep 0\nfail so\nnosuch\n")
    answer = run_cli(environment, *arguments(workload, "--results", str(results)))
    assert answer.returncode == 1
    assert answer.stderr == ""
    lines = {line["task"]: line["state"] for line in map(json.loads, results.read_text().splitlines())}
    assert lines == {2: "succeeded", 3: "failed", 4: "rejected"}


def test_memory_does_not_grow_with_the_tasks(environment: dict[str, str], tmp_path: Path) -> None:
    """Ten times the tasks take no more memory, up to what SQLite caches and the queue between them holds."""
    small, large = (peak_kib(environment, tmp_path, tasks) for tasks in (20_000, 200_000))
    assert large - small < 16 * 1024


def peak_kib(environment: dict[str, str], folder: Path, tasks: int) -> int:
    """The most memory that a run of so many tasks had; a process of its own asks, for only the largest child counts."""
    workload = folder / f"{tasks}.txt"
    workload.write_text("#cloudkon: bundle=64\n" + "sleep 0\n" * tasks)
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    run = [sys.executable, "-m", "cli.main", "run", "LOCAL", "-s", str(workload), "-t", "2", "--json"]
    answer = subprocess.run([sys.executable, "-c", code, *run], env=environment, capture_output=True, check=True)
    return int(answer.stdout) // (1 if sys.platform == "linux" else 1024)
