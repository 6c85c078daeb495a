"""Gets a URL of http or https. Redirects are followed here, and each target is checked like the first URL."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Protocol

import aiohttp
from yarl import URL

from animoto.download.connector import ForbiddenAddressError
from animoto.download.urls import UrlError, check_web_url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TEMPORARY = frozenset({408, 425, 429})
"""Besides 500 to 599."""


class FetchError(Exception):
    """A URL could not be fetched; the message is the reason, without the URL."""

    def __init__(self, reason: str, *, temporary: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.temporary = temporary
        """Whether another try may go better."""
        self.retry_after_s = retry_after_s


class Reader(Protocol):
    """Fetches a URL of one kind, a chunk at a time; raises FetchError."""

    def __call__(self, url: str, max_bytes: int) -> AsyncGenerator[bytes]: ...


class WebReader:
    """Reads URLs of http and https over one session, whose connector guards the addresses."""

    def __init__(self, session: aiohttp.ClientSession, max_redirects: int) -> None:
        self._session = session
        self._max_redirects = max_redirects

    async def __call__(self, url: str, max_bytes: int) -> AsyncGenerator[bytes]:
        """Yield the body; raise FetchError at once if its announced length is above max_bytes."""
        try:
            async with aclosing(self._body(url, max_bytes)) as body:
                async for chunk in body:
                    yield chunk
        except (aiohttp.ClientError, ForbiddenAddressError, OSError, ValueError) as error:
            raise _translate(error) from None  # the causes quote URLs with their secrets

    async def _body(self, url: str, max_bytes: int) -> AsyncGenerator[bytes]:
        for _ in range(self._max_redirects + 1):
            async with self._session.get(_to_request_url(url), allow_redirects=False) as answer:
                if answer.status in _REDIRECTS:
                    url = _redirect_target(answer)
                    continue
                _check_answer(answer, max_bytes)
                async for chunk in answer.content.iter_any():
                    yield chunk
                return
        raise FetchError(f"it redirects more than {self._max_redirects} times")


def _to_request_url(url: str) -> URL:
    """A URL in ASCII is sent exactly as written, because signed URLs break otherwise."""
    return URL(url, encoded=url.isascii())


def _redirect_target(answer: aiohttp.ClientResponse) -> str:
    location = answer.headers.get("Location", "")
    if not location:
        raise FetchError(f"the server answered {_status_text(answer.status)} without a place to go on to")
    try:
        target = str(answer.url.join(URL(location, encoded=location.isascii())))
        check_web_url(target)
    except (UrlError, ValueError) as error:
        reason = error if isinstance(error, UrlError) else "the target is no URL"
        raise FetchError(f"it redirects to where nothing can be fetched: {reason}") from None
    return target


def _check_answer(answer: aiohttp.ClientResponse, max_bytes: int) -> None:
    if answer.status != HTTPStatus.OK:
        temporary = 500 <= answer.status < 600 or answer.status in _TEMPORARY
        after = answer.headers.get("Retry-After", "")
        raise FetchError(
            f"the server answered {_status_text(answer.status)}",
            temporary=temporary,
            retry_after_s=float(after) if after.isascii() and after.isdecimal() else 0.0,
        )
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", ""}:
        raise FetchError(f"the server sent it compressed ({encoding[:40]!r}), which was not asked for")
    if (answer.content_length or 0) > max_bytes:
        raise too_large(max_bytes)


def too_large(max_bytes: int) -> FetchError:
    return FetchError(f"it is larger than {max_bytes:,} bytes, the most that is fetched")


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _translate(error: Exception) -> FetchError:
    cause, temporary = getattr(error, "certificate_error", getattr(error, "os_error", error)), True
    match cause, error:
        case ForbiddenAddressError(address=address, refusal=refusal), _:
            reason = f"the address {address} is not a public one ({refusal}) and is not allowed here"
            temporary = False
        case _, aiohttp.ClientConnectorDNSError():
            reason = "the host's name can't be resolved"
        case ssl.SSLCertVerificationError(verify_message=why), _:
            reason, temporary = f"the server's certificate is not to be trusted: {why.rstrip('.')}", False
        case ssl.SSLError(), _:
            reason = "no secure connection to the server came about"
        case _, aiohttp.ConnectionTimeoutError():
            reason = "the server could not be reached in time"
        case _, TimeoutError():
            reason = "the server fell silent"
        case _, aiohttp.ClientConnectorError():
            reason = (
                f"the server could not be reached: {getattr(cause, 'strerror', None) or 'each of its addresses failed'}"
            )
        case _, aiohttp.ClientResponseError():
            reason = "the server's answer is not HTTP"
        case _, aiohttp.InvalidURL() | ValueError():
            reason, temporary = "this is no URL", False
        case _:
            reason = "the connection broke off"
    return FetchError(reason, temporary=temporary)
