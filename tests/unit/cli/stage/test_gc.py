"""gc over a scripted AWS: what is asked, what is refused, and how it ends."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.stage.leftovers import DAY_MS
from cloudkon.stage.names import Names
from tests.support.emulators.scripted_aws import ScriptedSession, refusal
from tests.support.still_clock import StillClock

NOW_MS = StillClock().now_ms()


def gc(*arguments: str, stage: str = "dev", typed: str = "") -> Result:
    return CliRunner().invoke(cloudkon_cli, ["gc", "--stage", stage, *arguments], input=typed, obj=StillClock())


class Account(ScriptedSession):
    def names(self, stage: str) -> Names:
        return Names(stage, "123456789012", "eu-central-1")


def scripted(monkeypatch: pytest.MonkeyPatch, **services: Any) -> Account:
    """A session whose credentials may do what is scripted, and nothing else."""
    session = Account(**services)
    monkeypatch.setattr("cli.stage.gc.Session", lambda: session)
    return session


def volumes(*states: str) -> Any:
    created = datetime.fromtimestamp((NOW_MS - DAY_MS) / 1000, UTC)
    found = [
        {"VolumeId": f"vol-{n}", "State": state, "CreateTime": created, "Size": 8} for n, state in enumerate(states)
    ]
    return {"Volumes": found}


def test_what_may_not_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thing that could not be looked for is told, what was found is shown, and nothing is wrong with it."""
    scripted(monkeypatch, ec2={"describe_volumes": volumes("available")})
    answer = gc()
    assert answer.exit_code == 0
    assert "vol-0" in answer.stdout
    for what in ("instances", "snapshots", "artifacts", "unfinished uploads", "event sources", "functions, roles"):
        assert f"Warning: not looked for {what}" in answer.stderr


def test_what_can_not_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is told with its reason, all others are removed, and the end is 1; what is gone already is fine."""

    def delete(VolumeId: str) -> Any:  # noqa: N803 (boto3's name)
        return {"vol-0": refusal("VolumeInUse"), "vol-1": refusal("InvalidVolume.NotFound")}.get(VolumeId, {})

    services = {"describe_volumes": volumes("available", "available", "available"), "delete_volume": delete}
    session = scripted(monkeypatch, ec2=services)
    answer = gc("--yes", "--json")
    assert answer.exit_code == 1
    assert [json.loads(line)["removed"] for line in answer.stdout.splitlines()] == [False, True, True]
    assert "VolumeInUse" in json.loads(answer.stdout.splitlines()[0])["error"]
    assert "volume vol-0 stays: Could not delete vol-0: VolumeInUse" in answer.stderr
    assert "1 of 3 could not be removed" in answer.stderr
    assert [verb for verb, _ in session.clients["ec2"].calls].count("delete_volume") == 3


@pytest.mark.parametrize(
    ("typed", "deleted"), [("n\n", []), ("\n", []), ("y\n", ["vol-0"])], ids=["no", "by default", "yes"]
)
def test_gc_asks_and_removes_only_what_it_showed(
    typed: str, deleted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal it asks, and removes what was shown, unless it was taken into use, or came, since."""
    answers = iter((volumes("available", "available"), volumes("available", "in-use", "available")))
    ec2 = {"describe_volumes": lambda **_: next(answers), "delete_volume": {}}
    session = scripted(monkeypatch, ec2=ec2)
    monkeypatch.setattr("cli.terminal.confirm.is_at_terminal", lambda: True)
    answer = gc(typed=typed)
    assert answer.exit_code == 0
    assert "Remove these 2 for good?" in answer.stderr
    calls = session.clients["ec2"].calls
    assert [given["VolumeId"] for verb, given in calls if verb == "delete_volume"] == deleted


def test_no_stage_of_that_name() -> None:
    """A name that no stage can have, such as a pattern, is refused before anything is asked."""
    assert gc(stage="*").exit_code == 2
