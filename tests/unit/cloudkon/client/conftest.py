"""A client of this process, with two threads and a record of its own, and the gate that its tasks wait for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudkon import Client
from tests.support.data.client_functions import GATE, RAN, Gate


@pytest.fixture
def gate() -> Iterator[Gate]:
    GATE.close()
    yield GATE
    GATE.opened.set()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    RAN.clear()
    with Client(threads=2, ledger=tmp_path / "ledger.sqlite3") as made:
        yield made
