import json
from pathlib import Path
from typing import Any

import pytest

from cli.stage.chalice_record import adopt, forget, record_of
from cloudkon.aws.stack.functions import EventSource
from cloudkon.stage.names import Names

NAMES = Names("dev", "123456789012", "eu-central-1")
FUNCTION = NAMES.arn("lambda", "function:cloudkon-dev-dispatch_range")
SOURCE = EventSource("uuid-1", NAMES.arn("sqs", NAMES.range_queue), FUNCTION, "Enabled")


def written(root: Path, names: Names, uuid: str) -> dict[str, Any]:
    """A record as Chalice leaves it."""
    function = names.arn("lambda", "function:cloudkon-dev-dispatch_range")
    event = {"name": "source", "resource_type": "sqs_event", "event_uuid": uuid, "lambda_arn": function}
    told = {"resources": [{"name": "ingest", "lambda_arn": function}, event], "schema_version": "2.0"}
    record_of(root, names).parent.mkdir(parents=True, exist_ok=True)
    record_of(root, names).write_text(json.dumps(told), encoding="utf-8")
    return told


def kept(root: Path) -> Any:
    record = record_of(root, NAMES)
    return json.loads(record.read_text(encoding="utf-8")) if record.exists() else None


def test_a_checkout_without_a_record_takes_over_what_stands(tmp_path: Path) -> None:
    """What wakes dispatch_range already is written down, so that Chalice updates it instead of making a second one."""
    adopt(tmp_path, NAMES, SOURCE)
    (entry,) = kept(tmp_path)["resources"]
    assert entry == {
        "name": "dispatch_range-sqs-event-source",
        "resource_type": "sqs_event",
        "queue_arn": SOURCE.queue_arn,
        "event_uuid": "uuid-1",
        "queue": "cloudkon-dev-ranges",
        "lambda_arn": FUNCTION,
    }


def test_nothing_is_adopted_of_an_empty_account(tmp_path: Path) -> None:
    """Where nothing wakes the function there is no record."""
    adopt(tmp_path, NAMES, None)
    assert kept(tmp_path) is None


@pytest.mark.parametrize("source", [SOURCE, None])
def test_a_record_that_is_right_stays(tmp_path: Path, source: EventSource | None) -> None:
    """Chalice's own record of this region is left as it is."""
    told = written(tmp_path, NAMES, "uuid-1")
    adopt(tmp_path, NAMES, source)
    assert kept(tmp_path) == told


def test_a_record_of_an_event_source_that_is_gone_is_replaced(tmp_path: Path) -> None:
    """Somebody else has deployed since: what stands now counts."""
    written(tmp_path, NAMES, "uuid-0")
    adopt(tmp_path, NAMES, SOURCE)
    assert [each["event_uuid"] for each in kept(tmp_path)["resources"]] == ["uuid-1"]


@pytest.mark.parametrize("elsewhere", [("123456789012", "eu-west-1"), ("210987654321", "eu-central-1")])
def test_a_record_of_another_place_is_not_followed(tmp_path: Path, elsewhere: tuple[str, str]) -> None:
    """By the record of another region or account, Chalice would take apart what stands there."""
    written(tmp_path, Names("dev", *elsewhere), "uuid-0")
    adopt(tmp_path, NAMES, None)
    assert kept(tmp_path) is None


def test_a_record_that_can_not_be_read_is_replaced(tmp_path: Path) -> None:
    """A file that was cut off is no record."""
    written(tmp_path, NAMES, "uuid-1")
    record_of(tmp_path, NAMES).write_text("{", encoding="utf-8")
    adopt(tmp_path, NAMES, SOURCE)
    assert len(kept(tmp_path)["resources"]) == 1


def test_only_the_record_of_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    """What stands in another region is not forgotten with what stood in this one."""
    told = written(tmp_path, Names("dev", NAMES.account, "eu-west-1"), "uuid-0")
    forget(tmp_path, NAMES)
    assert kept(tmp_path) == told
    written(tmp_path, NAMES, "uuid-1")
    forget(tmp_path, NAMES)
    forget(tmp_path, NAMES)
    assert kept(tmp_path) is None
