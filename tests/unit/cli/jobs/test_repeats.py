"""A retry's lines lead back to those of the first job."""

import json
from array import array
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.jobs import repeats
from cli.jobs.repeats import Origins
from cli.main import cloudkon_cli

WORKLOAD = "#cloudkon: bundle=2 retries=0\n\nsleep 0\nsleep one\nnobody\nsleep 0\nsleep two\nsleep 0\nsleep three\n"


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    Path("tasks.txt").write_text(WORKLOAD, encoding="utf-8")


def run(*words: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, list(words), catch_exceptions=False)


def told(*words: str) -> list[Any]:
    return [json.loads(line) for line in run(*words, "--json").stdout.splitlines()]


def test_every_view_of_a_retry_names_the_first_line() -> None:
    """results, failed and explain of a retry, and of a retry of a retry, name the job and the line it began as."""
    run("run", "LOCAL", "tasks.txt")
    first = told("jobs")[0]["job"]
    run("retry", "--only-failed")
    assert [(each["task"], each["first_line"], each["first_job"]) for each in told("results")] == [
        (2, 4, first),
        (3, 7, first),
        (4, 9, first),
    ]
    run("retry", "--reason", "'t")
    assert [each["first_line"] for each in told("results")] == [7, 9]
    assert f"'three'  (line 9 of {first})" in run("results").stdout
    assert f"first run line 7 of {first}" in " ".join(run("explain", "2").stdout.split())
    assert told("explain", "3")[0]["first_line"] == 9
    assert [each["first_lines"] for each in told("failed")] == [[7], [9]]
    assert f"2 is line 7 of {first}" in run("failed").stderr


def test_a_job_that_repeats_nothing_has_no_first_line() -> None:
    """Nothing is said of a first job where this is the first."""
    run("run", "LOCAL", "tasks.txt")
    assert all("first_line" not in each for each in told("results"))
    assert "first run" not in run("explain", "4").stdout


def test_a_retry_whose_notes_are_gone_is_shown_as_it_is() -> None:
    """Of a retry whose workload was changed or deleted nothing is known but its own lines."""
    run("run", "LOCAL", "tasks.txt")
    run("retry", "--only-failed")
    Path(told("stats")[0]["source"]["key"]).unlink()
    assert [each["task"] for each in told("results")] == [2, 3, 4]
    assert all("first_line" not in each for each in told("results"))


def test_many_numbers_are_noted_in_several_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note is no over-long line; what several of them say together is every number."""
    monkeypatch.setattr(repeats, "_NUMBERS_A_NOTE", 3)
    noted = list(Origins("local-a-b", 5, array("q", [2, 4, 5, 6, 9])).notes())
    assert noted == [
        "# From line 5 on, these are the lines 2+1,4+2 of local-a-b.",
        "# From line 8 on, these are the lines 6+1,9+1 of local-a-b.",
    ]
    Path("tasks.txt").write_text("sleep x\n" * 8, encoding="utf-8")
    run("run", "LOCAL", "tasks.txt")
    run("retry")
    assert [each["first_line"] for each in told("results")] == list(range(1, 9))
