"""Where a server sends us on to, read as browsers read it; and the cookies that it wants to see there."""

from urllib.parse import quote

import aiohttp
from yarl import URL

from animoto.download.fetch_error import FetchError, status_text
from animoto.download.urls import UrlError, check_web_url

_DROPPED = str.maketrans("", "", "\t\r\n")


def redirect_target(answer: aiohttp.ClientResponse) -> str:
    """The URL that an answer leads to; raise FetchError if it leads nowhere."""
    location = clean_location(answer.headers.get("Location", ""))
    if not location:
        raise FetchError(f"the server answered {status_text(answer.status)} without a place to go on to")
    try:
        target = str(answer.url.join(URL(location, encoded=location.isascii())))
        check_web_url(target)
    except (UrlError, ValueError) as error:
        reason = error if isinstance(error, UrlError) else "the target is no URL"
        raise FetchError(f"it redirects to where nothing can be fetched: {reason}") from None
    return target


def clean_location(location: str) -> str:
    """The header's URL as browsers mend it (https://url.spec.whatwg.org/#url-parsing).

    Blanks and raw bytes are escaped, tabs and line ends dropped; backslashes before the query are slashes.
    """
    path, question, query = location.strip().translate(_DROPPED).partition("?")
    return "".join(map(_escape, path.replace("\\", "/") + question + query))


def _escape(character: str) -> str:
    is_raw = "\udc80" <= character <= "\udcff"
    if not is_raw and (character.isascii() or character.isprintable()) and " " < character != "\x7f":
        return character
    return quote(character.encode("utf-8", "surrogateescape"))


class Cookies:
    """The cookies of one download: what an answer sets is told to the servers that it leads to, and to no others."""

    def __init__(self) -> None:
        self._jar: aiohttp.CookieJar | None = None

    def take(self, answer: aiohttp.ClientResponse) -> None:
        if answer.cookies:
            self._jar = self._jar or aiohttp.CookieJar(unsafe=True)  # hosts may be addresses
            self._jar.update_cookies(answer.cookies, answer.url)

    def headers(self, url: URL) -> dict[str, str]:
        """The header for a request; none if there is nothing to tell."""
        found = self._jar.filter_cookies(url) if self._jar else {}
        text = "; ".join(f"{name}={cookie.coded_value}" for name, cookie in found.items())
        return {"Cookie": text} if text else {}
