"""LOCAL runs whose job is paused or cancelled under way."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.local.ledger import SqliteLedger


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path))
    monkeypatch.setattr("cloudkon.client.local.local_settings._DRAIN_S", 1.0)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cloudkon_cli, [str(argument) for argument in arguments], catch_exceptions=False)


def the_job(tmp_path: Path) -> Any:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3", guard_ms=0)
    (job,) = ledger.recent(9)
    ledger.close()
    return job


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """More tasks that fail than the breaker of a fleet waits for, and then some that succeed."""
    file = tmp_path / "failing.txt"
    file.write_text("#cloudkon: bundle=2 retries=0\n" + "sleep soon\n" * 60 + "sleep 0\n" * 20)
    return file


def test_a_run_of_failures_runs_to_its_end(tmp_path: Path, failing: Path) -> None:
    """No breaker pauses a LOCAL run: whoever started it is looking on, and wants to know what became of each line."""
    answer = run("run", "LOCAL", "-s", failing, "-t", "1")
    assert answer.exit_code == 1
    assert answer.stdout.startswith("✓ 20 of 80 tasks in ")
    assert answer.stdout.endswith(": 20 succeeded, 60 failed\n")
    assert the_job(tmp_path).paused_ms is None


def test_a_paused_run_stops_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is paused from outside stops, says why and how to go on; going on runs the rest."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pausing.py").write_text(
        "from pathlib import Path\n"
        "from cloudkon import task\n"
        "from cloudkon.local.ledger import SqliteLedger\n"
        '@task("pause")\n'
        "def pause():\n"
        '    ledger = SqliteLedger(Path("ledger.sqlite3"), guard_ms=0)\n'
        '    ledger.pause(ledger.recent(1)[0].id, "enough for today", 1)\n'
        "    ledger.close()\n"
    )
    file = tmp_path / "some.txt"
    file.write_text("#cloudkon: bundle=1\npause\n" + "sleep 300\n" * 20)
    answer = run("run", "LOCAL", "-s", file, "-t", "1", "--tasks", "pausing")
    assert answer.exit_code == 1
    assert "paused: enough for today" in answer.stdout
    assert f"run LOCAL {file} -t 1 --resume --tasks pausing" in answer.stderr
    again = run("run", "LOCAL", "-s", file, "-t", "20", "--resume", "--tasks", "pausing")
    assert again.exit_code == 0
    assert again.stdout.startswith("✓ 21 tasks in ")
    assert the_job(tmp_path).resumed_ms


def test_a_cancelled_run_is_not_resumed(tmp_path: Path, failing: Path) -> None:
    """A run that was cancelled is not gone on with, and says what to do instead."""
    run("run", "LOCAL", "-s", failing, "-t", "1")
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3", guard_ms=0)
    ledger.cancel(ledger.recent(1)[0].id, 1)
    ledger.close()
    answer = run("run", "LOCAL", "-s", failing, "--resume")
    assert answer.exit_code == 2
    assert "was cancelled. Run it anew, without --resume." in answer.stderr
