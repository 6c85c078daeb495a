"""Buckets of the stage's names that somebody else has taken: they get nothing, and nothing of theirs is used."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from moto.s3.models import s3_backends

from cli.main import cloudkon_cli
from cloudkon.aws.owners import name_owner
from cloudkon.aws.store import S3Store
from cloudkon.errors import DeniedError
from cloudkon.stage.names import Names
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.still_clock import StillClock

STRANGER = "999999999999"
NUMBERS = itertools.count(1)
ACTS: dict[str, Callable[[S3Store, Path], object]] = {
    "write": lambda store, _: store.write("outputs/secret", b"secret"),
    "upload": lambda store, file: store.upload("in/secret.txt", file),
    "read": lambda store, _: list(store.read("in/bait.txt")),
    "size": lambda store, _: store.size_bytes("in/bait.txt"),
    "versions": lambda store, _: store.is_versioned(),
}


@pytest.fixture
def names(aws: AwsLab) -> Names:
    """Of a stage whose two buckets a stranger has made before us, with an object as a bait."""
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, aws.environment)
        names = aws.session.names(f"taken-{next(NUMBERS)}")
        s3 = aws.session.s3()
    hooks: Any = s3.meta.events
    hooks.register("before-sign.s3", lambda request, **_: request.headers.add_header("x-moto-account-id", STRANGER))
    hooks.unregister("provide-client-params.s3", name_owner)
    for bucket in (names.workloads_bucket, names.results_bucket):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=bucket, Key="in/bait.txt", Body=b"sleep 1\n")
    return names


@pytest.mark.parametrize("act", ACTS)
def test_a_bucket_of_somebody_elses_is_not_used(aws: AwsLab, names: Names, tmp_path: Path, act: str) -> None:
    """Whatever is asked of it is refused by S3, which was told whose it has to be."""
    file = tmp_path / "secret.txt"
    file.write_bytes(b"sleep 1\n")
    for bucket in (names.workloads_bucket, names.results_bucket):
        with pytest.raises(DeniedError):
            ACTS[act](S3Store(aws.s3, bucket, StillClock()), file)


def test_a_workload_is_not_submitted_to_a_stranger(
    aws: AwsLab, names: Names, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """submit ends with an error, and the stranger has got nothing."""
    enter(monkeypatch, aws.environment)
    file = tmp_path / "secret.txt"
    file.write_bytes(b"sleep 1\n")
    answer = CliRunner().invoke(cloudkon_cli, ["submit", str(file), "--stage", names.stage])
    assert answer.exit_code == 1, answer.output
    assert names.workloads_bucket in answer.stderr
    assert list(s3_backends[STRANGER]["aws"].buckets[names.workloads_bucket].keys) == ["in/bait.txt"]
