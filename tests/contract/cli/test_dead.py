"""The dead group, against SQS as moto plays it."""

import itertools
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.aws.queue import SqsQueue
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.job import RangeKey
from cloudkon.messages.wire import encode_bundle, encode_range, encode_undecodable
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.manual_clock import ManualClock

NUMBERS = itertools.count(1)
BUNDLE = encode_bundle(Bundle(BundleKey("job", 0, 7), LineNumbers(((1, 2),)), ("sleep 1", "sleep \x1b[31m"), 5, 6))
WRAPPED = encode_undecodable("gibberish", "The message is not JSON.")


class Queues:
    def __init__(self, aws: AwsLab, stage: str) -> None:
        self.tasks: SqsQueue = aws.queue(ManualClock(), f"cloudkon-{stage}-tasks")
        self.ranges: SqsQueue = aws.queue(ManualClock(), f"cloudkon-{stage}-ranges")
        self.dead: SqsQueue = aws.queue(ManualClock(), f"cloudkon-{stage}-dead-letters")


@pytest.fixture
def queues(aws: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Queues:
    enter(monkeypatch, aws.environment)
    monkeypatch.setattr("cloudkon.messages.dead_letters._WAIT_S", 0.0)
    stage = f"dead-{next(NUMBERS)}"
    monkeypatch.setenv("CLOUDKON_STAGE", stage)
    queues = Queues(aws, stage)
    queues.dead.send([BUNDLE, WRAPPED])
    return queues


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["dead", *arguments], catch_exceptions=False)


def listed() -> dict[str, dict[str, Any]]:
    return {one["reason"]: one for one in map(json.loads, run("list", "--json").stdout.splitlines())}


def test_each_dead_message_is_a_line_with_its_reason(queues: Queues) -> None:
    """Each message is a line with its id, its bundle and why it is here, however often it is listed."""
    for _ in range(2):
        header, *rows = run("list").stdout.splitlines()
        assert header.split() == ["id", "content", "reason"]
        assert sorted(row.split(maxsplit=2)[1:] for row in rows) == [
            ["-", "The message is not JSON."],
            ["job/00000.000007", "it was received too often without being finished"],
        ]
    assert "There may be more than these 1" in run("list", "--limit", "1").stderr


def test_a_shown_message_does_nothing_to_the_terminal(queues: Queues) -> None:
    """A message is shown with what it holds, which does nothing to the terminal."""
    ids = {reason: one["id"] for reason, one in listed().items()}
    shown = run("show", ids["it was received too often without being finished"]).stdout
    assert "content  job/00000.000007" in shown
    assert shown.endswith("\nsleep 1\nsleep \ufffd[31m\n")
    told = json.loads(run("show", ids["The message is not JSON."], "--json").stdout)
    assert (told["body"], told["reason"], told["job"]) == ("gibberish", "The message is not JSON.", None)


def test_redrive_moves_what_can_be_decoded_and_keeps_the_rest(queues: Queues) -> None:
    """What can be decoded is moved; what can't be stays, with what to do, and the exit code says so."""
    answer = run("redrive", "--all")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("1 moved back.\n")
    assert "stays: it can't be decoded (The message is not JSON.). A newer CloudKon" in answer.stderr
    assert [delivery.body for delivery in queues.tasks.receive(10, 0, 60)] == [BUNDLE]
    assert list(listed()) == ["The message is not JSON."]


def test_a_range_is_moved_to_the_queue_of_ranges(queues: Queues) -> None:
    """A range that was not dispatched is named, and moved to the queue of ranges."""
    body = encode_range(RangeKey("job", 3))
    queues.dead.send([body])
    (one,) = [one for one in map(json.loads, run("list", "--json").stdout.splitlines()) if one["range"] is not None]
    assert (one["job"], one["range"], one["bundle"], one["tasks"]) == ("job", 3, None, None)
    assert "content  range 3 of job" in run("show", one["id"]).stdout
    assert run("redrive", one["id"]).stderr == "1 moved back.\n"
    assert [delivery.body for delivery in queues.ranges.receive(10, 0, 60)] == [body]


def test_one_message_is_redriven_by_its_id_and_told_as_json(queues: Queues) -> None:
    """A message can be moved by its id, and as JSON it is told what became of it."""
    id_ = listed()["it was received too often without being finished"]["id"]
    answer = run("redrive", id_, "--json")
    assert (answer.exit_code, json.loads(answer.stdout)) == (
        0,
        {"done": [id_], "undecodable": [], "failed": [], "missing": [], "complete": True},
    )


def test_purged_messages_are_gone(queues: Queues) -> None:
    """What is purged is gone."""
    answer = run("purge", "--all")
    assert (answer.exit_code, answer.stderr) == (0, "2 deleted.\n")
    assert run("list").stderr == "There is no dead letter.\n"


@pytest.mark.parametrize("verb", ["show", "redrive", "purge"])
def test_an_unknown_id_is_answered_with_near_ones(queues: Queues, verb: str) -> None:
    """An id that nothing has is told with what may have been meant."""
    known = listed()["The message is not JSON."]["id"]
    answer = run(verb, known[:-1])
    assert answer.exit_code == 1
    assert f"There is no dead letter {known[:-1]}. Did you mean {known}?" in answer.stderr
    assert len(listed()) == 2


@pytest.mark.parametrize("arguments", [(), ("--all", "3f2a9c1d8e07")])
def test_all_or_some(queues: Queues, arguments: tuple[str, ...]) -> None:
    """All messages are not meant unless it is said."""
    answer = run("purge", *arguments)
    assert (answer.exit_code, "or give --all" in answer.stderr) == (2, True)
    assert len(listed()) == 2
