"""Gets a URL of http or https. Redirects are followed here, and each target is checked like the first URL."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Protocol

import aiohttp
from yarl import URL

from animoto.download.connector import ForbiddenAddressError
from animoto.download.content_encoding import Decoder, decode, decode_end, decoders
from animoto.download.fetch_error import FetchError, status_text
from animoto.download.redirects import Cookies, redirect_target
from animoto.download.retry_after import parse_date, retry_after_s

_REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
_WITH_PICTURE = frozenset({200, 201, 202, 203})
"""203: a proxy on the way has changed it (RFC 9110, 15.3.4), as those of mobile networks do."""
_TEMPORARY = frozenset({408, 425, 429})
"""Besides 500 to 599."""


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
        cookies = Cookies()
        for _ in range(self._max_redirects + 1):
            target = _to_request_url(url)
            async with self._session.get(target, allow_redirects=False, headers=cookies.headers(target)) as answer:
                cookies.take(answer)
                if answer.status in _REDIRECTS:
                    url = redirect_target(answer)
                    continue
                chain = _check_answer(answer, max_bytes)
                async for chunk in answer.content.iter_any():
                    for piece in decode(chunk, chain):
                        yield piece
                for piece in decode_end(chain):
                    yield piece
                return
        raise FetchError(f"it redirects more than {self._max_redirects} times")


def _to_request_url(url: str) -> URL:
    """A URL in ASCII is sent exactly as written, because signed URLs break otherwise."""
    return URL(url, encoded=url.isascii())


def _check_answer(answer: aiohttp.ClientResponse, max_bytes: int) -> list[Decoder]:
    """What undoes the coding of an answer's body; raise FetchError if it has no body that can be used."""
    if answer.status not in _WITH_PICTURE:
        raise FetchError(
            f"the server answered {status_text(answer.status)}",
            temporary=500 <= answer.status < 600 or answer.status in _TEMPORARY,
            retry_after_s=retry_after_s(
                answer.headers.get("Retry-After", ""), parse_date(answer.headers.get("Date", "")) or datetime.now(UTC)
            ),
        )
    chain = decoders(", ".join(answer.headers.getall("Content-Encoding", [])))
    if not chain and (answer.content_length or 0) > max_bytes:
        raise too_large(max_bytes)
    return chain


def too_large(max_bytes: int) -> FetchError:
    return FetchError(f"it is larger than {max_bytes:,} bytes, the most that is fetched")


def _translate(error: Exception) -> FetchError:
    cause, temporary = getattr(error, "certificate_error", getattr(error, "os_error", error)), True
    match cause, error:
        case ForbiddenAddressError(address=address, refusal=refusal), _:
            reason = f"the address {address} is not a public one ({refusal}) and is not allowed here"
            reason += "; CLOUDKON_ANIMOTO_ALLOW names the networks that are"
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
