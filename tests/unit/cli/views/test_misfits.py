"""What is said of lines that can't be run before anything of a LOCAL run begins."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli

HANDLERS = """
from dataclasses import dataclass
from cloudkon import task

@dataclass
class Size:
    width: int

@task(retries=2)
def scale(name: str, factor: int, *, size: Size | None = None):
    print("scaling", name)

@task
def anything(*words, **named): print("anything")
"""
# Each of these is a way in which a line does not fit.
MISFITS = {
    "scale a two": "argument factor: a whole number was expected, not 'two'",
    "scale a": "argument factor is missing: it takes name factor [size=]",
    "scale a 1 2": "it takes at most 2 arguments: it takes name factor [size=]; 3 are given",
    '{"task": "scale", "args": ["a", 1.5]}': "argument factor: a whole number was expected, not 1.5",
    '{"task": "scale", "args": ["a", 1], "colour": "red"}': "it has no argument 'colour'",
    '{"task": "scale", "args": ["a", 1], "name": "b"}': "argument name is given twice",
    '{"task": "scale", "args": ["a", 1], "size": {"width": "wide"}}': "argument size: Size was expected",
    "Scale a 1": "no handler is named 'Scale'. Did you mean 'scale'?",
    'scale "a 1': "no closing quotation",
    '{"task": "scale"': "not valid JSON",
    "shell ls": "'shell' is refused",
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("misfit_tasks.py").write_text(HANDLERS, encoding="utf-8")


def run(workload: str, *more: str) -> Result:
    Path("tasks.txt").write_text(workload, encoding="utf-8")
    command = ["run", "LOCAL", "tasks.txt", "-t", "1", "--tasks", "misfit_tasks", *more]
    return CliRunner().invoke(cloudkon_cli, command, catch_exceptions=False)


def results() -> list[dict[str, object]]:
    answer = CliRunner().invoke(cloudkon_cli, ["results", "--json"], catch_exceptions=False)
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.mark.parametrize("line", MISFITS)
def test_a_line_that_does_not_fit_is_told_before_anything_runs(line: str) -> None:
    """Line, argument and reason come before the first task runs; the others run, and the line is not tried again."""
    answer = run(f"scale a 1\n# a comment\n{line}\nscale b 2\n")
    told = answer.stderr.splitlines()
    assert told[0] == "1 of 3 tasks can't be run, and will be rejected:"
    assert told[1].startswith(f"  line 3: {MISFITS[line]}")
    assert told[2:4] == ["scaling a", "scaling b"]
    assert (answer.exit_code, answer.stdout.split(" in ")[0]) == (1, "✓ 2 of 3 tasks")
    rejected = results()[1]
    assert (rejected["task"], rejected["state"]) == (3, "rejected")
    assert rejected["runs"] in (0, 1)
    assert str(rejected["error"]).startswith(MISFITS[line])


def test_a_header_that_cannot_be_used_is_told_too() -> None:
    """An option of the workload that can't be used is among the lines that are told."""
    told = run("#cloudkon: bundle=0\nscale a 1\n").stderr.splitlines()
    assert told[1] == "  line 1: option bundle=0: a whole number from 1 to 64 was expected"


def test_many_lines_are_told_by_their_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few words are said of many lines, and their numbers are right beyond the first range of the workload."""
    for module in ("dispatcher.ranges", "cloudkon.workload.planning"):
        monkeypatch.setattr(f"{module}.RANGE_BYTES", 64)
    lines = [f"scale {number} {'x' if number % 10 == 9 else number}" for number in range(60)]
    lines += ["one", "two", "three"]
    told = run("".join(f"{line}\n" for line in lines)).stderr.splitlines()
    assert told[0] == "9 of 63 tasks can't be run, and will be rejected:"
    assert told[1] == "  lines 10, 20, 30, 40, 50, ...: argument factor: a whole number was expected, not 'x'"
    assert told[2].startswith("  line 61: no handler is named 'one'")
    assert told[4] == "  and 1 more reason"
    assert [result["task"] for result in results() if result["state"] == "rejected"] == [
        10,
        20,
        30,
        40,
        50,
        60,
        61,
        62,
        63,
    ]


@pytest.mark.parametrize("workload", ["scale a 1\nanything 1 2\n", "one\ntwo\n", ""])
def test_nothing_is_said_ahead_where_all_or_none_can_be_run(workload: str) -> None:
    """Where no line can be run, the outcome comes at once and says so."""
    assert "can't be run" not in run(workload).stderr


def test_json_is_not_disturbed() -> None:
    """A program is told of them in the results alone."""
    answer = run("scale a 1\nscale b two\n", "--json")
    assert json.loads(answer.stdout)["tasks"]["rejected"] == 1
    assert answer.stderr == "scaling a\n"
