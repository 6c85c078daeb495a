"""A machine of its own for each test that asks for one, and the ledger of its LOCAL runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudkon.local.ledger import SqliteLedger


@pytest.fixture
def this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nobody has set AWS up."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    for name in ("CLOUDKON_STAGE", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.sqlite3"


@pytest.fixture
def ledger(ledger_file: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(ledger_file, guard_ms=2_000)
    yield opened
    opened.close()
