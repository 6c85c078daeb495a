"""Where credentials and the region come from, and what is done when they change while a process runs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

import cloudkon.aws.session
from cloudkon.aws.errors import translated
from cloudkon.aws.session import Session
from cloudkon.errors import DeniedError
from tests.support.emulators.moto_aws import AwsLab, credentials, enter
from tests.support.worlds.embedded_aws import STRICT

KEYS = "[default]\naws_access_key_id = {key}\naws_secret_access_key = secret\naws_session_token = {token}\n"


class Gate:
    """In place of S3: it answers who has the keys that are good, and tells all others that theirs have expired."""

    def __init__(self, good: str) -> None:
        self.good = good
        self.seen: list[Any] = []

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        self.seen.append(request)
        if f"Credential={self.good}/".encode() in request.headers["Authorization"]:
            return AWSResponse(request.url, 200, HTTPHeaders(), _Body(b""))
        told = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
        return AWSResponse(request.url, 400, HTTPHeaders(), _Body(told))


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        yield self._content


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of credentials, and no others to be found."""
    file = tmp_path / "credentials"
    settings = credentials() | {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    enter(monkeypatch, {name: value for name, value in settings.items() if "ACCESS_KEY" not in name})
    file.write_text(KEYS.format(key="AKIAOLD", token="old"), encoding="utf-8")
    return file


def test_credentials_that_expired_are_looked_for_anew(keys: Path) -> None:
    """Who logs in again while a long command runs is believed at its next call, by clients that were made before."""
    client, gate = Session(tries=1).s3(), cast("Any", Gate("AKIANEW"))
    client.meta.events.register("before-send.*", gate)
    with pytest.raises(DeniedError, match="ExpiredToken"):
        ask(client)
    keys.write_text(KEYS.format(key="AKIANEW", token="new"), encoding="utf-8")
    with pytest.raises(DeniedError):
        ask(client)  # which finds the new ones
    ask(client)
    assert gate.seen[-1].headers["X-Amz-Security-Token"] == b"new"


def ask(client: Any) -> None:
    with translated("look"):
        client.list_objects_v2(Bucket="any")


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
    ],
)
def test_the_region_is_found_as_aws_tools_find_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str
) -> None:
    """AWS_REGION counts, and more than AWS_DEFAULT_REGION, as for the AWS command line."""
    enter(monkeypatch, {k: v for k, v in credentials().items() if k != "AWS_DEFAULT_REGION"} | variables)
    assert Session().sqs().meta.region_name == region


@pytest.mark.parametrize(
    ("bucket", "owner"),
    [
        ("cloudkon-dev-workloads-123456789012-eu-central-1", "123456789012"),
        ("cloudkon-a-b-results-123456789012-eu-central-1", "123456789012"),
        ("my-pictures", None),
        ("cloudkon-dev-workloads", None),
    ],
)
def test_every_call_says_whose_the_bucket_has_to_be(keys: Path, bucket: str, owner: str | None) -> None:
    """Somebody else who has taken the name of a stage's bucket gets no workloads, and gives none."""
    client, gate = Session(tries=1).s3(), cast("Any", Gate("AKIAOLD"))
    client.meta.events.register("before-send.*", gate)
    client.put_object(Bucket=bucket, Key="a", Body=b"")
    client.head_object(Bucket=bucket, Key="a")
    client.list_objects_v2(Bucket=bucket)
    told = [request.headers.get("x-amz-expected-bucket-owner") for request in gate.seen]
    assert [value.decode() if isinstance(value, bytes) else value for value in told] == [owner] * 3


def test_a_link_asks_nobody_for_a_header(aws: AwsLab) -> None:
    """Whoever opens a link need not know whose bucket it is."""
    link = aws.s3.generate_presigned_url(
        "get_object", Params={"Bucket": "cloudkon-dev-results-123456789012-eu-central-1", "Key": "a"}
    )
    assert "expected-bucket-owner" not in link


def test_what_tests_start_has_its_requests_checked() -> None:
    """botocore checks the parameters of every request of the tests, those of the processes that they start too."""
    asked = "import cloudkon.aws.session; print(cloudkon.aws.session.VALIDATES)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(STRICT), str(Path.cwd())))}
    said = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout == "True\n"
    assert cloudkon.aws.session.VALIDATES
