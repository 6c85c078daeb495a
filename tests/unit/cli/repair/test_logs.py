"""What tasks said, as failed, explain and logs show it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli

TASKS = """
import sys
from cloudkon import task

@task
def quiet(): pass

@task
def chatty(word): print("hello", word)

@task
def bad(word):
    print("before", word)
    parse(word)

def parse(word):
    raise ValueError("no number")

@task
def long():
    print("x" * 5000)
    raise ValueError("long")
"""
WORKLOAD = "quiet\nchatty Ada\nbad one\nlong\n"


def run(*words: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, list(words))


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "said_tasks.py").write_text(TASKS)
    (tmp_path / "tasks.txt").write_text(WORKLOAD)
    return tmp_path


def test_what_failed_has_a_log_with_a_traceback(ran: Path) -> None:
    """logs prints what failed tasks said, small or large; the place that raised is named by failed and results."""
    answer = run("run", "LOCAL", "tasks.txt", "--tasks", "said_tasks", "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["tasks"]["failed"] == 2
    told = [json.loads(line) for line in run("logs", "--json").stdout.splitlines()]
    assert [each["task"] for each in told] == [3, 4]
    assert told[0]["log"].startswith("before one\nTraceback (most recent call last):\n")
    assert told[0]["log"].endswith("ValueError: no number\n")
    assert told[1]["log"].startswith("x" * 5000)
    places = [json.loads(line).get("raised_at") for line in run("results", "--json").stdout.splitlines()]
    assert places == [None, None, "said_tasks.py:17 in parse", "said_tasks.py:22 in long"]
    assert "ValueError: no number (said_tasks.py:17 in parse)" in " ".join(run("failed").stdout.split())


def test_a_bug_is_found_from_explain_alone(ran: Path) -> None:
    """explain shows the line, the error, the place, what was printed, and the traceback."""
    run("run", "LOCAL", "tasks.txt", "--tasks", "said_tasks")
    job = json.loads(run("jobs", "--json").stdout.splitlines()[0])["job"]
    said = run("explain", job, "3").stdout
    for expected in (
        "bad one",
        "ValueError: no number",
        "said_tasks.py:17 in parse",
        "  before one",
        "    parse(word)",
    ):
        assert expected in said
    assert json.loads(run("explain", job, "3", "--json").stdout)["log"].startswith("before one\n")


@pytest.mark.parametrize(("header", "options"), [("", ["--keep-logs"]), ("#cloudkon: logs=all bundle=4\n", [])])
def test_logs_of_all_tasks_are_kept_when_asked_for(ran: Path, header: str, options: list[str]) -> None:
    """With --keep-logs, or logs=all in the workload, a task that succeeded has a log too, if it said anything."""
    (ran / "tasks.txt").write_text(
        f"quiet\nchatty Ada\nbad one\nlong\n{header}" if not header else f"{header}chatty Ada\n"
    )
    run("run", "LOCAL", "tasks.txt", "--tasks", "said_tasks", *options)
    said = run("logs").stdout.splitlines()
    assert said[:3] == ["task 2: succeeded", "hello Ada", ""]
    assert run("logs", "-", "2").stdout.splitlines() == said[:3]


def test_nothing_to_show(ran: Path) -> None:
    """A job without logs says so, and a task without one says when there would be one."""
    (ran / "tasks.txt").write_text("quiet\n")
    run("run", "LOCAL", "tasks.txt", "--tasks", "said_tasks")
    assert "has no logs" in run("logs").stderr
    answer = run("logs", "-", "1")
    assert answer.exit_code == 1
    assert "has no log of task 1" in answer.stderr
