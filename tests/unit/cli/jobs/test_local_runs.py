"""What is kept of a LOCAL run beside its ledger."""

import os
import stat
from pathlib import Path

from cli.jobs.local_runs import RunOptions, remember, remembered


def test_the_options_of_a_run_are_its_owners_alone(tmp_path: Path) -> None:
    """They are the first that is written into the folder of the results, and the folder is private from then on."""
    ledger = tmp_path / "night.sqlite3"
    before = os.umask(0)
    try:
        for slots in (2, 4):
            remember(ledger, "tasks-a", RunOptions(slots))
    finally:
        os.umask(before)
    assert remembered(ledger, "tasks-a").slots == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")} == {0o700, 0o600}
