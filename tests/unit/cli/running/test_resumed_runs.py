"""A LOCAL run that goes on where an earlier one was stopped."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cloudkon_cli, [str(argument) for argument in arguments], catch_exceptions=False)


def told(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_what_is_done_is_no_duplicate(tmp_path: Path) -> None:
    """A job that is resumed once more sends nothing of what is done, and has every result all the same."""
    file = tmp_path / "tasks.txt"
    file.write_text("#cloudkon: bundle=1\n" + "sleep 1\n" * 40, encoding="utf-8")
    first = told("run", "LOCAL", file, "-t", "2")
    second = told("run", "LOCAL", file, "-t", "2", "--resume", "--results", tmp_path / "done.jsonl")
    assert second["job"] == first["job"]
    assert (second["duplicates_dropped"], second["tasks"]["succeeded"]) == (0, 40)
    lines = (tmp_path / "done.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(json.loads(line)["task"] for line in lines) == list(range(2, 42))
