"""The command that says what a workload will take."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.costs.prices import shipped_text


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cloudkon_cli, ["plan", *arguments], input=stdin, catch_exceptions=False)


@pytest.fixture
def workload(tmp_path: Path) -> str:
    file = tmp_path / "tasks.txt"
    file.write_text("#cloudkon: task_ms=250\n" + "sleep 250\n" * 4_000, encoding="utf-8")
    return str(file)


def test_a_plan_says_time_and_cost_and_what_dominates(workload: str) -> None:
    """Ten machines of four slots take 25 s for 1,000 s of tasks; the machines are most of what they cost."""
    said = run(workload, "--workers", "10", "--type", "c6i.large").stdout
    assert "tasks    4,000 of 250 ms, in " in said
    assert "time     about 25.1 s, bound by the tasks" in said
    assert "of it is EC2" in said


def test_a_plan_as_json_has_its_figures(workload: str) -> None:
    """What a person reads is there for a program."""
    told = json.loads(run(workload, "--json").stdout)
    assert (told["tasks"], told["tasks_are_exact"], told["workers"], told["slots"]) == (4_000, True, 1, 4)
    assert (told["complete"], told["dominant"]) == (True, "DynamoDB")
    assert told["usd"] == pytest.approx(sum(each["usd"] for each in told["charges"]))


def test_a_spot_machine_without_a_price_is_said_to_have_none(workload: str, tmp_path: Path) -> None:
    """The spot market has no list price: the plan says so, and a list of prices of one's own fills it."""
    said = run(workload, "--type", "c6i.large", "--spot").stdout
    assert "USD, without EC2;" in said
    assert "not priced" in said
    own = tmp_path / "prices.json"
    own.write_text(json.dumps(json.loads(shipped_text()) | {"ec2_spot": {"c6i.large": 0.03}}), encoding="utf-8")
    priced = run(workload, "--type", "c6i.large", "--spot", "--prices", str(own)).stdout
    assert "without" not in priced


def test_a_plan_needs_the_time_of_a_task(tmp_path: Path) -> None:
    """Nobody can say how long tasks of unknown length take: the plan asks for it, and takes it from the command."""
    answer = run("-", stdin="shell make\n")
    assert answer.exit_code == 2
    assert "Add --task-ms" in answer.stderr
    assert run("-", "--task-ms", "3", stdin="shell make\n").exit_code == 0


def test_the_shipped_prices_are_printed_to_be_changed() -> None:
    """--show-prices needs no file, and prints what --prices reads."""
    assert run("--show-prices").stdout == shipped_text()
