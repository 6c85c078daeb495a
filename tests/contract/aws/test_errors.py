"""What goes wrong with AWS reaches people as one line that says what to do; the original is kept as the cause."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    LoginInsufficientPermissions,
    LoginRefreshRequired,
    MissingDependencyException,
    NoCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from cloudkon.aws.errors import translated
from cloudkon.aws.queue import queue_url
from cloudkon.aws.session import Session
from cloudkon.errors import CloudKonError, DeniedError, InputError, NotFoundError, UnavailableError
from cloudkon.settings import Settings
from tests.support.emulators.moto_aws import credentials, enter


def answer(code: str, status: int) -> ClientError:
    error = {"Code": code, "Message": "as the service\nsays."}
    return ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answer("ThrottlingException", 400), UnavailableError),
        (answer("RequestThrottled", 403), UnavailableError),
        (answer("SlowDown", 503), UnavailableError),
        (answer("NeverHeardOf", 500), UnavailableError),
        (answer("AccessDeniedException", 400), DeniedError),
        (answer("NeverHeardOf", 403), DeniedError),
        (answer("NoSuchBucket", 404), NotFoundError),
        (answer("ResourceNotFoundException", 400), NotFoundError),
        (answer("ValidationException", 400), CloudKonError),
        (NoCredentialsError(), DeniedError),
        (CredentialRetrievalError(provider="sso", error_msg="it has\nexpired"), DeniedError),
        (UnauthorizedSSOTokenError(), DeniedError),
        (LoginRefreshRequired(), DeniedError),
        (LoginInsufficientPermissions(), DeniedError),
        (MissingDependencyException(msg="botocore[crt]"), InputError),
        (answer("ExpiredToken", 400), DeniedError),
        (ProfileNotFound(profile="mine"), InputError),
        (BotoCoreError(), UnavailableError),
    ],
    ids=str,
)
def test_each_error_becomes_the_one_that_fits(error: Exception, kind: type[CloudKonError]) -> None:
    """Exactly one kind, one line, one full stop, and the cause behind it."""
    with pytest.raises(CloudKonError, match=r"^Could not do a thing: ") as caught, translated("do a thing"):
        raise error
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert ".." not in str(caught.value)
    assert caught.value.__cause__ is error


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda: {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed_port()}"}, UnavailableError, "AWS_ENDPOINT_URL"),
        (lambda: {"AWS_ENDPOINT_URL": "nonsense"}, InputError, "Is AWS_ENDPOINT_URL right"),
        (lambda: {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, DeniedError, "no AWS credentials"),
        (lambda: {"AWS_DEFAULT_REGION": ""}, InputError, "no AWS region. Set AWS_REGION"),
        (lambda: {"AWS_DEFAULT_REGION": "not one"}, InputError, "Set AWS_REGION"),
        (lambda: {"AWS_PROFILE": "nobody"}, InputError, "nobody"),
    ],
    ids=["unreachable", "no endpoint", "no credentials", "no region", "no such region", "no such profile"],
)
def test_a_wrong_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[], dict[str, str]], kind: type[CloudKonError], words: str
) -> None:
    """The message names the setting to look at, on one line."""
    enter(monkeypatch, {name: value for name, value in (credentials() | change()).items() if value})
    with pytest.raises(CloudKonError, match=words) as caught:
        queue_url(Session(tries=1).sqs(), "tasks")
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_what_does_not_speak_aws_is_told() -> None:
    """An answer that can't be read is no crash of ours: something else answered."""
    with pytest.raises(UnavailableError, match="does not speak AWS's language"), translated("do a thing"):
        raise ResponseParserError("no element found")


def test_no_call_of_a_worker_outlasts_a_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tries of a call and the waits between them end before the lease, the ledger's before the next heartbeat."""
    enter(monkeypatch, credentials())
    session, settings = Session(), Settings()
    assert most_s(session.dynamodb()) < settings.heartbeat_s
    assert most_s(session.s3(prompt=True)) < settings.heartbeat_s  # values are written by who renews leases
    assert most_s(session.sqs()) < settings.lease_s - settings.guard_s
    assert limits(session.sqs()).read_timeout > settings.poll_s


def limits(client: Any) -> Any:
    return client.meta.config  # the stubs don't know what it holds


def most_s(client: Any) -> float:
    """The longest that a call can take: botocore waits at most 1, 2, 4 ... seconds between tries, 20 at the most."""
    config = limits(client)
    tries = config.retries["total_max_attempts"]
    waits_s = sum(min(20, 2**number) for number in range(tries - 1))
    return float(tries * (config.connect_timeout + config.read_timeout) + waits_s)
