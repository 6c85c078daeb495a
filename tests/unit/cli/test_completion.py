"""What the shell completes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import cloudkon_cli
from cloudkon.local.ledger import SqliteLedger
from tests.support.worlds.local_jobs import write_job


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(shell: str) -> None:
    """The script asks the program itself, by the variable that click reads."""
    answer = CliRunner().invoke(cloudkon_cli, ["completion", shell])
    assert answer.exit_code == 0
    assert f"_CLOUDKON_CLI_COMPLETE={shell}_complete" in answer.stdout
    assert CliRunner().invoke(cloudkon_cli, ["completion", "tcsh"]).exit_code == 2


def completed(words: str, home: Path) -> list[str]:
    """What bash offers for the last of the words."""
    asked = {
        "_CLOUDKON_CLI_COMPLETE": "bash_complete",
        "COMP_WORDS": f"cloudkon-cli {words}",
        "COMP_CWORD": str(len(words.split(" "))),
        "CLOUDKON_HOME": str(home),
    }
    command = [sys.executable, "-c", "from cli.main import main; main()"]
    answer = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, check=False)
    return [line.partition(",")[2] for line in answer.stdout.splitlines() if line]


def test_jobs_and_places_are_completed(tmp_path: Path) -> None:
    """The ids of this machine's jobs are completed wherever one is asked for, and LOCAL where a run goes."""
    assert completed("stats local-", tmp_path) == []
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3", guard_ms=0)
    write_job(ledger)
    ledger.close()
    for command in ("stats", "retry", "explain", "cancel"):
        assert completed(f"{command} local-s", tmp_path) == ["local-sleeps-abc"]
    assert completed("stats tasks-", tmp_path) == []
    assert completed("run L", tmp_path) == ["LOCAL"]
    assert completed("compl", tmp_path) == ["completion"]
