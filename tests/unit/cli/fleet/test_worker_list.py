"""The list of workers, over a ledger file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.clock import SystemClock
from cloudkon.ledger.fleet import Instance, WorkerState
from cloudkon.local.ledger import SqliteLedger
from tests.support.data.rows import worker_status


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(file: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(file, guard_ms=2_000)
    yield opened
    opened.close()


def announce(ledger: SqliteLedger, worker: str, *, ago_s: int = 0, **changes: Any) -> None:
    ledger.announce(worker_status(worker, seen_ms=SystemClock().now_ms() - ago_s * 1000, **changes))


def listed(file: Path, *options: str) -> Result:
    answer = CliRunner().invoke(cloudkon_cli, ["workers", "list", "--ledger", str(file), *options])
    assert answer.exit_code == 0, answer.output
    return answer


def states(file: Path, *options: str) -> dict[str, str]:
    found = [json.loads(line) for line in listed(file, "--json", *options).stdout.splitlines()]
    return {each["worker"]: each["state"] for each in found}


def test_a_worker_is_a_line(ledger: SqliteLedger, file: Path) -> None:
    """What it does, what it has done, where it is and what is wrong, in text that does nothing to a terminal."""
    where = Instance("i-1", "c7g.large", "eu-central-1a")
    announce(
        ledger,
        "host-1",
        ago_s=7,
        state=WorkerState.SICK,
        reason="the disk\n\x1b[31mis full",
        instance=where,
        throttled={"sqs.SendMessageBatch": 2, "dynamodb.UpdateItem": 1_000, "sqs.ReceiveMessage": 3},
    )
    header, line = listed(file).stdout.splitlines()
    columns = "worker state busy bundles tasks seen age throttled instance reason"
    assert header.split() == columns.split()
    assert line.split("  ")[:2] == ["host-1", "sick"]
    assert "3/4       20  1,280" in line
    assert "DynamoDB 1,000, SQS 5  i-1 c7g.large eu-central-1a" in line
    assert line.endswith("the disk \ufffd[31mis full")


def test_json_has_every_key(ledger: SqliteLedger, file: Path) -> None:
    """A line of JSON a worker, for others to build on."""
    announce(ledger, "host-1")
    (found,) = [json.loads(line) for line in listed(file, "--json").stdout.splitlines()]
    assert found.keys() == {
        *("worker", "state", "reason", "slots", "busy", "bundles", "tasks", "started_ms", "seen_ms", "instance"),
        *("throttled", "usd_an_hour"),
    }
    assert (found["busy"], found["slots"], found["instance"], found["throttled"]) == (3, 4, None, {})


def test_the_silent_and_the_stopped(ledger: SqliteLedger, file: Path) -> None:
    """Who stops speaking is silent after a minute and forgotten after five; who stopped is shown if asked for."""
    announce(ledger, "here", ago_s=50)
    announce(ledger, "killed", ago_s=70)
    announce(ledger, "gone", ago_s=301)
    announce(ledger, "stopped", ago_s=70, state=WorkerState.STOPPED)
    assert states(file) == {"here": "working", "killed": "silent"}
    assert states(file, "--all") == {"here": "working", "killed": "silent", "stopped": "stopped"}


def test_an_empty_list_says_how_to_start_a_worker(ledger: SqliteLedger, file: Path) -> None:
    """Without workers the list is empty, and says how to start one."""
    answer = listed(file)
    assert answer.stdout == ""
    assert "There is no worker." in answer.stderr


@pytest.mark.parametrize(("ago_s", "doubted"), [(16, False), (37, True), (90, False)])
def test_a_worker_that_has_missed_its_word_is_doubted(
    ledger: SqliteLedger, file: Path, ago_s: int, *, doubted: bool
) -> None:
    """Before it is called silent, the reason says that nobody knows whether it lives; a stopped one is not doubted."""
    announce(ledger, "host-1", ago_s=ago_s, state=WorkerState.WORKING)
    announce(ledger, "host-2", ago_s=ago_s, state=WorkerState.STOPPED)
    assert ("it may have died: it was last heard of" in listed(file, "--all").stdout) is doubted
    assert states(file)["host-1"] == ("silent" if ago_s == 90 else "working")
