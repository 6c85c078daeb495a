"""The URLs of pictures: which can be fetched, and how they are shown without their secrets."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from cloudkon.errors import CloudKonError

_MAX_CHARACTERS = 8_000
_MAX_SHOWN_CHARACTERS = 300
_FILES_HINT = "; a file is read by run LOCAL, or uploaded by generate animoto --pictures FILE --upload s3://..."
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""


class UrlError(CloudKonError):
    """A URL can't be fetched. The message tells its author why, without the URL."""


@dataclass(frozen=True, slots=True)
class S3Location:
    bucket: str
    key: str


def check_url(url: str) -> None:
    """Raise UrlError unless this is a URL of http, https or s3 as a whole."""
    if len(url) > _MAX_CHARACTERS:
        raise UrlError(f"the URL is longer than {_MAX_CHARACTERS:,} characters")
    if s3_location(url) is None:
        check_web_url(url)


def check_web_url(url: str) -> None:
    """Raise UrlError unless this is a URL of http or https as a whole."""
    if any(character.isspace() or not character.isprintable() for character in url):
        raise UrlError("a URL holds no blanks and no control characters; write %20 for a blank")
    parts = _split(url)
    if parts.scheme not in {"http", "https"}:
        hint = _FILES_HINT if local_file(url) else ""
        raise UrlError(f"only http, https and s3 URLs can be fetched{_name_scheme(parts)}{hint}")
    if not parts.hostname:
        raise UrlError("the URL names no host")


def check_source(url: str) -> None:
    """Raise UrlError unless this is such a URL, or a file of this machine."""
    if local_file(url) is None:
        check_url(url)


def local_file(url: str) -> Path | None:
    """The file that a path, or a URL such as file:///home/me/1.jpg, names; None for another URL."""
    if url[:5].lower() == "file:":
        host, slash, path = url[5:].removeprefix("//").partition("/")
        return Path(unquote(slash + path)) if host in {"", "localhost"} and path and "\0" not in unquote(path) else None
    is_path = url and "\0" not in url and not url.startswith("//") and not _SCHEME.match(url)
    return Path(url) if is_path else None


def s3_location(url: str) -> S3Location | None:
    """The bucket and the key, taken literally, of an s3 URL; None for another; raise UrlError if it lacks one."""
    if url[:5].lower() != "s3://":
        return None
    bucket, _, key = url[5:].partition("/")
    if not _BUCKET.fullmatch(bucket) or not key:
        raise UrlError("an s3 URL is written s3://BUCKET/KEY")
    return S3Location(bucket, key)


def redacted(url: str) -> str:
    """The URL as messages and logs may show it: without user, password, fragment and the values of its query."""
    printable = "".join(character if character.isprintable() else "_" for character in url)
    if printable[:5].lower() == "s3://" or (printable[:1] == "/" and printable[:2] != "//"):
        return _shorten(printable)
    head, question, query = printable.partition("#")[0].partition("?")
    scheme, slashes, rest = head.partition("//")
    authority, slash, path = rest.partition("/")
    host = authority.rpartition("@")[2]
    return _shorten(f"{scheme}{slashes}{host}{slash}{path}{question}{_hide_values(query)}")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError as error:
        raise UrlError(f"this is no URL: {_error_without_url(error)}") from error
    return parts


def _error_without_url(error: ValueError) -> str:
    """The standard library's message, without the part of the URL that it quotes."""
    return str(error).partition(":")[0].partition("'")[0].strip().lower() or "it can't be read"


def _name_scheme(parts: SplitResult) -> str:
    return f", not {parts.scheme[:20]}" if parts.scheme else ""


def _hide_values(query: str) -> str:
    """Keep the names in a query, to tell URLs apart. A query without names is a value as a whole."""
    fields = (field.partition("=") for field in query.split("&"))
    return "&".join(f"{name}=..." if equals else "..." for name, equals, _ in fields) if query else ""


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else text[: _MAX_SHOWN_CHARACTERS - 3] + "..."
