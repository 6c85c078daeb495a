"""How large the rows of a job's bundles are in the table."""

import math
import os
from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any
from unittest.mock import patch

from cloudkon.aws.ledger.rows import BUNDLE, shard_pk
from cloudkon.aws.ledger.table import Item, Table
from cloudkon.aws.session import Session
from cloudkon.settings import Settings
from cloudkon.wiring import cloud

_WRITE_UNIT_BYTES = 1024


def row_sizes(job: str, stage: str, environment: Mapping[str, str]) -> list[int]:
    """The sizes of the rows of a job's bundles [bytes], read with this environment's AWS."""
    with patch.dict(os.environ, environment, clear=True):  # boto3 looks nowhere else
        opened = cloud(stage, Settings())
        found = opened.ledger.job(job)
        assert found is not None, f"the ledger does not know {job}"
        table = Table(Session().dynamodb(), opened.names.ledger_table)
        shards = range(found.shards)
        return [_item_bytes(item) for shard in shards for item in table.query(shard_pk(job, shard), BUNDLE)]


def write_units(sizes: list[int]) -> float:
    """The write units of a row, on average."""
    return fmean(math.ceil(size / _WRITE_UNIT_BYTES) for size in sizes)


def _item_bytes(item: Item) -> int:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html."""
    return sum(len(name.encode()) + sum(_value_bytes(value)) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> Iterator[int]:
    for kind, held in value.items():
        match kind:
            case "S":
                yield len(held.encode())
            case "N":
                yield math.ceil(len(held) / 2) + 1
            case "B":
                yield len(held)
            case "L":
                yield 3
                for part in held:
                    yield 1 + sum(_value_bytes(part))
            case _:
                yield 1
