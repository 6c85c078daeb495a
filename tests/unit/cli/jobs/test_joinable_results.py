"""Results that can be joined with the workload, and read by a spreadsheet."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli

WORKLOAD = '# mine\nsleep 1\nsleep soon\n{"task": "sleep", "args": [2], "id": "Grüße, 2"}\nsleep "\n'


def run(*arguments: object, code: int = 0) -> Result:
    answer = CliRunner().invoke(cloudkon_cli, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == code, answer.output
    return answer


@pytest.fixture
def workload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workload that was run here, where nobody has set AWS up; its results are in done.jsonl."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    for name in ("CLOUDKON_STAGE", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "tasks.txt"
    file.write_text(WORKLOAD, encoding="utf-8")
    run("run", "LOCAL", file, "-t", "1", "--results", tmp_path / "done.jsonl", code=1)
    return file


def test_each_result_has_its_line_its_start_its_worker_and_its_attempt(workload: Path) -> None:
    """What a task was, when and where it ran is in its result, so that nothing has to be looked up beside it."""
    told = [json.loads(line) for line in run("results", "--json").stdout.splitlines()]
    assert [(each["task"], each["text"]) for each in told] == [
        (number, line) for number, line in enumerate(WORKLOAD.splitlines(), 1) if number > 1
    ]
    ran = [each for each in told if each["state"] == "succeeded"]
    assert {each["attempt"] for each in ran} == {1}
    assert len({each["worker"] for each in ran}) == 1
    assert ran[0]["start_ms"] <= ran[1]["start_ms"]


def test_the_results_file_tells_the_same_of_each_task(workload: Path) -> None:
    """The file of --results has the keys of `results --json`, but for the line itself."""
    lines = (workload.parent / "done.jsonl").read_text(encoding="utf-8").splitlines()
    written = {each["task"]: each for each in map(json.loads, lines)}
    for line in run("results", "--json").stdout.splitlines():
        told = json.loads(line)
        if told["runs"]:
            del told["text"]
            assert written[told["task"]] == told


def test_results_as_csv_are_a_table_with_a_header(workload: Path) -> None:
    """A spreadsheet reads a row a task; texts with commas and quotes come back as they were."""
    rows = list(csv.DictReader(io.StringIO(run("results", "--csv").stdout)))
    assert [row["task"] for row in rows] == ["2", "3", "4", "5"]
    assert rows[2]["id"] == "Grüße, 2"
    assert rows[2]["text"] == WORKLOAD.splitlines()[3]
    assert [row["state"] for row in rows] == ["succeeded", "failed", "succeeded", "rejected"]


def test_a_workload_that_has_changed_leaves_the_lines_out(workload: Path) -> None:
    """Where the file is another now, results have no lines of it, and are listed all the same."""
    workload.write_text(WORKLOAD.replace("sleep 1", "sleep 9"), encoding="utf-8")
    told = [json.loads(line) for line in run("results", "--json", "--state", "succeeded").stdout.splitlines()]
    assert [each["task"] for each in told] == [2, 4]
    assert not any("text" in each for each in told)


def test_json_and_csv_exclude_each_other(workload: Path) -> None:
    """Two formats at a time are refused."""
    assert "Choose one of --json and --csv" in run("results", "--json", "--csv", code=2).stderr
