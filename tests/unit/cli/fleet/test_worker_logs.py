import json
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import cloudkon_cli
from cloudkon.clock import SystemClock
from cloudkon.stage.names import Names
from tests.support.emulators.scripted_aws import ScriptedSession

NAMES = Names("dev", "123456789012", "eu-central-1")


def event(text: str, number: int, machine: str = "i-1") -> dict[str, Any]:
    return {
        "logStreamName": machine,
        "timestamp": SystemClock().now_ms(),
        "message": f"{text}\n",
        "eventId": str(number),
    }


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the log is asked for, poll by poll; each finds one line more, after the third comes Ctrl-C."""
    polls: list[dict[str, Any]] = []

    def filtered(**arguments: Any) -> Any:
        polls.append(arguments)
        return {"events": [event(f"line {number}", number) for number in range(len(polls))]}

    def stop_after_three(*_: Any) -> None:
        if len(polls) == 3:
            raise KeyboardInterrupt

    session = ScriptedSession(logs={"filter_log_events": filtered})
    monkeypatch.setattr("cli.fleet.worker_logs.Session", lambda: session)
    monkeypatch.setattr(ScriptedSession, "names", lambda *_: NAMES, raising=False)
    monkeypatch.setattr(SystemClock, "sleep", stop_after_three)
    return polls


def test_the_log_of_one_machine_is_read_since_a_moment(asked: list[dict[str, Any]]) -> None:
    """The lines of one machine since a moment, from the stage's log group."""
    answer = CliRunner().invoke(cloudkon_cli, ["workers", "logs", "i-1", "--since", "1h", "--json"])
    [line] = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (line["instance"], line["text"]) == ("i-1", "line 0")
    [question] = asked
    assert (question["logGroupName"], question["logStreamNamePrefix"]) == ("/cloudkon/dev/workers", "i-1")
    assert 3_500_000 < SystemClock().now_ms() - question["startTime"] < 3_700_000


def test_following_shows_each_line_once_until_ctrl_c(asked: list[dict[str, Any]]) -> None:
    """What comes is shown once, until Ctrl-C."""
    answer = CliRunner().invoke(cloudkon_cli, ["workers", "logs", "--follow"])
    assert [line.split()[-1] for line in answer.stdout.splitlines()] == ["0", "1", "2"]
    assert answer.exit_code == 130
