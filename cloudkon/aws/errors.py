"""Translates what boto3 raises into what a person can act on; the original is kept as the cause."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    InvalidRegionError,
    LoginError,
    MissingDependencyException,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from cloudkon.errors import CloudKonError, DeniedError, InputError, NotFoundError, UnavailableError

_MISSING = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "InvalidAMIID.NotFound",
        "InvalidAMIID.Unavailable",
        "InvalidInstanceID.NotFound",
        "InvalidSnapshot.NotFound",
        "InvalidVolume.NotFound",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchKey",
        "NoSuchUpload",
        "NoSuchVersion",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_DENIED = _EXPIRED | frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_IN_TROUBLE = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "RequestTimeout",
        "ServiceUnavailable",
    }
)
# Beside all that say so by their names: Throttling, ThrottlingException, KMS.ThrottlingException, RequestThrottled.
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "OverLimit",
        "ProvisionedThroughputExceeded",  # of one statement of a batch
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "TooManyRequestsException",
    }
)


# What boto3's parsers, and whoever takes a key out of an answer, raise for bytes that are no answer: a page with
# a status of 200, say. Arguments that boto3 refuses raise other errors.
_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)


class NoAnswerError(ValueError):
    """A service's answer lacks what every answer of it has."""


def accounted(answer: Mapping[str, Any], count: int) -> Sequence[Any]:
    """The entries of a batch that failed; raises NoAnswerError if an entry is neither among them nor successful."""
    failed: Sequence[Any] = answer.get("Failed", [])
    told = sorted(int(entry["Id"]) for entry in [*answer.get("Successful", []), *failed])
    if told != list(range(count)):
        raise NoAnswerError(f"{len(told)} of {count} entries are accounted for")
    return failed


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise the CloudKonError that fits whatever boto3 raises while doing what ("receive from cloudkon-tasks")."""
    try:
        yield
    except ClientError as error:
        raise _of_answer(what, error) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise DeniedError(
            f"Could not {what}: no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run on an instance with a role."
        ) from error
    except (CredentialRetrievalError, LoginError, SSOError, TokenRetrievalError) as error:
        raise DeniedError(f"Could not {what}: {_sentence(error)} Do you have to log in again?") from error
    except MissingDependencyException as error:
        raise InputError(
            f"Could not {what}: {_sentence(error)} A profile that aws login made needs more: "
            "pip install 'cloudkon[login]'"
        ) from error
    except InvalidRegionError as error:
        raise InputError(f"Could not {what}: {_sentence(error)} Set AWS_REGION, such as eu-central-1.") from error
    except NoRegionError as error:
        raise InputError(f"Could not {what}: no AWS region. Set AWS_REGION, such as eu-central-1.") from error
    except ProfileNotFound as error:
        raise InputError(f"Could not {what}: {_sentence(error)} See AWS_PROFILE and ~/.aws/config.") from error
    except (ResponseParserError, *_UNREADABLE) as error:
        raise UnavailableError(
            f"Could not {what}: what answered does not speak AWS's language. "
            "Is AWS_ENDPOINT_URL right, or does a proxy stand between?"
        ) from error
    except BotoCoreError as error:
        raise UnavailableError(
            f"Could not {what}: {_sentence(error)} Is the network up, and are AWS_REGION and AWS_ENDPOINT_URL right?"
        ) from error


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def is_busy(code: str) -> bool:
    """Whether an error passes by itself: throttling, or trouble on the other side."""
    return code in _IN_TROUBLE or _is_throttling(code)


def has_expired(answer: Mapping[str, Any]) -> bool:
    """Whether a service says in a parsed answer that the credentials were good, and are no longer."""
    return answer.get("Error", {}).get("Code") in _EXPIRED


def is_throttled(answer: Mapping[str, Any]) -> bool:
    """Whether a service says, in a parsed answer or of an entry of a batch, that it was asked for too much."""
    refusals = [answer.get("Error", {}), *answer.get("Failed", ())]
    return _status(answer) == 429 or any(_is_throttling(str(refusal.get("Code", ""))) for refusal in refusals)


def _is_throttling(code: str) -> bool:
    return code in _THROTTLED or "Throttl" in code


def _status(answer: Mapping[str, Any]) -> int:
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _sentence(said: object) -> str:
    """What was said, on one line that ends in one full stop."""
    return " ".join(str(said).split()).rstrip(".") + "."


def _of_answer(what: str, error: ClientError) -> CloudKonError:
    code = error_code(error)
    status = _status(error.response)
    said = _sentence(error.response.get("Error", {}).get("Message") or code)[:-1]
    if code in _MISSING:
        return NotFoundError(
            f"Could not {what}: it does not exist ({said}). Is the stage, the region and the account right?"
        )
    if is_busy(code) or status >= 500 or status == 429:
        return UnavailableError(f"Could not {what}: the service is busy or down ({code}: {said}).")
    if code in _DENIED or status in (401, 403):  # SQS throttles with 403 too: asked first, above
        return DeniedError(f"Could not {what}: AWS refuses the credentials ({code}: {said}).")
    if said == code:
        return CloudKonError(f"Could not {what}: the service answers {code}, and does not say why.")
    return CloudKonError(f"Could not {what}: {code}: {said}.")
