from importlib import import_module
from importlib.util import find_spec

import pytest

from cloudkon.ports import Ledger, ResultStore, TaskQueue
from tests.contract import adapters

_QUEUES, _LEDGERS, _STORES = dict(adapters.QUEUES), dict(adapters.LEDGERS), dict(adapters.STORES)
if find_spec("tests.contract.aws_adapters"):
    _aws = import_module("tests.contract.aws_adapters")
    _QUEUES |= _aws.QUEUES
    _LEDGERS |= _aws.LEDGERS
    _STORES |= _aws.STORES


@pytest.fixture(params=_QUEUES)
def queue(request: pytest.FixtureRequest) -> TaskQueue:
    return _QUEUES[request.param](request)


@pytest.fixture(params=_LEDGERS)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return _LEDGERS[request.param](request)


@pytest.fixture(params=_STORES)
def store(request: pytest.FixtureRequest) -> ResultStore:
    return _STORES[request.param](request)
