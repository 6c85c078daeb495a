"""Credentials of every kind that expire while a job is watched: it is said, and it goes on once there are others."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.jobs.following import follow
from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.session import Session
from cloudkon.ledger.job import RangeReport
from tests.support.data.rows import GUARD_MS, NOW_MS, ask, claimed, job, succeeded
from tests.support.emulators.moto_aws import RETENTION_S, AwsLab, credentials, enter
from tests.support.emulators.strict_moto.expiry import Keys, expiring_keys
from tests.support.manual_clock import ManualClock
from tests.support.servers.metadata_server import MetadataServer, metadata_server
from tests.support.still_clock import StillClock

ROLE = "arn:aws:iam::123456789012:role/somebody"
LATER = "2099-01-01T00:00:00Z"


@pytest.fixture
def keys() -> Iterator[Keys]:
    with expiring_keys() as made:
        yield made


@pytest.fixture
def instance() -> Iterator[MetadataServer]:
    with metadata_server() as server:
        give(server, "ASIAFIRST00000000000")
        yield server


def give(server: MetadataServer, access_key: str) -> None:
    """Let the instance's role have these credentials."""
    told = {"AccessKeyId": access_key, "SecretAccessKey": "s", "Token": "t", "Expiration": LATER, "Code": "Success"}
    server.answers["iam/security-credentials/"] = "worker"
    server.answers["iam/security-credentials/worker"] = json.dumps(told)


class Moments(ManualClock):
    """A clock by which something happens at each rest."""

    def __init__(self) -> None:
        super().__init__()
        self.at_rest: list[Callable[[], object]] = []

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.at_rest:
            self.at_rest.pop(0)()


def by_instance(folder: Path, endpoint: str) -> dict[str, str]:
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint, "AWS_EC2_METADATA_DISABLED": "false"}


def by_assumed_role(folder: Path, _: str) -> dict[str, str]:
    config, kept = folder / "config", folder / "credentials"
    config.write_text(f"[profile other]\nrole_arn = {ROLE}\nsource_profile = default\n", encoding="utf-8")
    kept.write_text("[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\n", encoding="utf-8")
    return {"AWS_PROFILE": "other", "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(kept)}


def by_web_identity(folder: Path, _: str) -> dict[str, str]:
    token = folder / "token"
    token.write_text("as a cluster gives it to a pod", encoding="utf-8")
    return {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": ROLE}


@pytest.mark.parametrize("kind", [by_instance, by_assumed_role, by_web_identity])
def test_a_watch_goes_on_when_credentials_expire(
    aws: AwsLab,
    keys: Keys,
    instance: MetadataServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: Callable[[Path, str], dict[str, str]],
) -> None:
    """An instance's role, an assumed role and a web identity: what expires in the middle is told, and replaced."""
    usual = {name: value for name, value in (credentials() | aws.environment).items() if "ACCESS_KEY" not in name}
    enter(monkeypatch, usual | kind(tmp_path, instance.endpoint))
    ours = aws.ledger(StillClock())
    ours.open(job())
    ours.record_range(RangeReport(job().id, 0, 3, 1, 0, 3, NOW_MS, NOW_MS))
    lease = claimed(ours, ask())
    keys.seen.clear()
    theirs = DynamoLedger(
        Session(tries=1).dynamodb(), ours._table.name, guard_ms=GUARD_MS, retention_s=RETENTION_S, clock=StillClock()
    )
    clock, said = Moments(), list[str]()
    clock.at_rest = [
        keys.expire,
        lambda: give(instance, "ASIASECOND0000000000"),
        lambda: ours.complete(lease, [succeeded()] * 3, NOW_MS),
    ]
    states = [stats.ended for stats in follow(theirs, job(), clock, said.append)]
    assert states[0] is False
    assert states[-1] is True
    assert len(keys.seen) == 3  # ours, and of theirs the first and the second
    assert "ExpiredToken" in said[0]
    assert said[-1] == "The ledger answers again."
