from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from cloudkon.ports import Ledger, ObjectStore, TaskQueue
from tests.contract import adapters

_QUEUES, _LEDGERS, _STORES = dict(adapters.QUEUES), dict(adapters.LEDGERS), dict(adapters.STORES)
if find_spec("tests.contract.aws"):
    _aws = import_module("tests.contract.aws")
    _QUEUES |= _aws.QUEUES
    _LEDGERS |= _aws.LEDGERS
    _STORES |= _aws.STORES


@pytest.fixture(params=_QUEUES)
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TaskQueue]:
    with _QUEUES[request.param](tmp_path) as adapter:
        yield adapter


@pytest.fixture(params=_LEDGERS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with _LEDGERS[request.param](tmp_path) as adapter:
        yield adapter


@pytest.fixture(params=_STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    with _STORES[request.param](tmp_path) as adapter:
        yield adapter
