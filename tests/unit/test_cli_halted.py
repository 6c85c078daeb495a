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
    monkeypatch.setattr("cli.run_local._DRAIN_S", 1.0)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cloudkon_cli, [str(argument) for argument in arguments], catch_exceptions=False)


def the_job(tmp_path: Path) -> Any:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3", guard_ms=0)
    (job,) = ledger.recent(9)
    ledger.close()
    return job


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """More tasks that fail than the breaker waits for, and then some that would succeed."""
    file = tmp_path / "failing.txt"
    file.write_text("#cloudkon: bundle=2 retries=0\n" + "sleep soon\n" * 60 + "sleep 400\n" * 20)
    return file


def test_a_run_of_failures_pauses_itself(tmp_path: Path, failing: Path) -> None:
    """A run whose first tasks all fail stops, says why, and how to go on; going on runs the rest."""
    answer = run("run", "LOCAL", "-s", failing, "-t", "1")
    job = the_job(tmp_path)
    assert answer.exit_code == 1
    assert "tasks all failed, the last one with ValueError: sleep takes milliseconds" in answer.stdout
    assert f"-s {failing} -t 1 --ledger {tmp_path / 'ledger.sqlite3'} --resume" in answer.stderr
    assert job.paused_ms
    again = run("run", "LOCAL", "-s", failing, "-t", "20", "--resume")
    assert again.exit_code == 1
    assert "80: 20 succeeded, 60 failed, 0 rejected" in again.stdout
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
