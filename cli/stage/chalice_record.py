"""Chalice's record of what it has deployed from this checkout, brought into line with what AWS has.

Without a record Chalice finds its functions and roles again by their names, and not what wakes dispatch_range: it would
make that anew, and AWS refuses a second one. The record of another region would make it take that region's apart.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloudkon.aws.stack.functions import EventSource
from cloudkon.stage.names import Names

_NAME = "dispatch_range-sqs-event-source"
"""As chalice.deploy.appgraph calls it."""


def record_of(root: Path, names: Names) -> Path:
    return root / ".chalice" / "deployed" / f"{names.stage}.json"


def adopt(root: Path, names: Names, source: EventSource | None) -> None:
    """Let Chalice know of what stands in this account and region, and of nothing else."""
    record = record_of(root, names)
    known = _read(record)
    if known is not None and _is_of(known, names) and (source is None or source.uuid in _uuids(known)):
        return
    record.unlink(missing_ok=True)
    if source is not None:
        record.parent.mkdir(parents=True, exist_ok=True)
        told = {"resources": [_entry(names, source)], "schema_version": "2.0", "backend": "api"}
        record.write_text(json.dumps(told, indent=2), encoding="utf-8")


def forget(root: Path, names: Names) -> None:
    """Remove the record of a Lambda that is gone; one of another account or region stays."""
    record = record_of(root, names)
    known = _read(record)
    if known is not None and _is_of(known, names):
        record.unlink()


def _entry(names: Names, source: EventSource) -> Mapping[str, str]:
    return {
        "name": _NAME,
        "resource_type": "sqs_event",
        "queue_arn": source.queue_arn,
        "event_uuid": source.uuid,
        "queue": names.range_queue,
        "lambda_arn": source.function_arn,
    }


def _read(record: Path) -> list[Any] | None:
    """The resources of a record; None if there is none that can be read."""
    try:
        return list(json.loads(record.read_text(encoding="utf-8"))["resources"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_of(resources: list[Any], names: Names) -> bool:
    places = {tuple(arn.split(":")[3:5]) for arn in _arns(resources)}
    return places <= {(names.region, names.account)}


def _arns(resources: list[Any]) -> Iterator[str]:
    """The ARNs of what is of one region."""
    for each in resources:
        yield from (each[key] for key in ("lambda_arn", "queue_arn") if key in each)


def _uuids(resources: list[Any]) -> set[str]:
    return {each["event_uuid"] for each in resources if "event_uuid" in each}
