from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animoto.download.urls import S3Location, UrlError, check_url, redacted, s3_location


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.jpg",
        "HTTPS://example.org:8443/a.jpg?x=1#f",
        "http://me:pw@[2606:4700::1]/",
        "https://bücher.example/ä.jpg",
        "s3://pictures/a b/#1?.jpg",
    ],
)
def test_http_https_and_s3_urls_can_be_fetched(url: str) -> None:
    """URLs of http, https and s3 can be fetched."""
    check_url(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "only http, https and s3"),
        ("/etc/passwd", "only http, https and s3"),
        ("ftp://example.org/a.jpg", "can be fetched, not ftp"),
        ("file:///etc/passwd", "can be fetched, not file"),
        ("concat:http://example.org/a", "can be fetched, not concat"),
        ("data:image/png;base64,AAAA", "can be fetched, not data"),
        ("http:///a.jpg", "names no host"),
        ("http://example.org/a b.jpg", "write %20"),
        ("http://example.org/a\r\nHost: b", "no control characters"),
        ("http://example.org:port/", "this is no URL"),
        ("http://[::1/", "this is no URL"),
        ("s3://bucket", "s3://BUCKET/KEY"),
        ("s3://bucket/", "s3://BUCKET/KEY"),
        ("s3:///key", "s3://BUCKET/KEY"),
        ("http://example.org/" + "a" * 8_000, "longer than 8,000"),
    ],
)
def test_a_refused_url_is_told_by_its_reason_alone(url: str, reason: str) -> None:
    """What can't be fetched is told with its reason, and without the URL itself."""
    with pytest.raises(UrlError, match=reason):
        check_url(url)


def test_the_key_of_an_s3_url_is_taken_as_it_stands() -> None:
    """The key of an S3 URL is taken as it stands."""
    assert s3_location("s3://pics/a%20b/?#.jpg") == S3Location("pics", "a%20b/?#.jpg")
    assert s3_location("http://pics/a") is None


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("http://me:pw@example.org/a.jpg?sig=x&n#f", "http://example.org/a.jpg?sig=...&..."),
        ("http://example.org/a@b.jpg", "http://example.org/a@b.jpg"),
        ("https://h:1/?token", "https://h:1/?..."),
        ("http://h?a=b", "http://h?a=..."),
        ("s3://pics/a?b#c.jpg", "s3://pics/a?b#c.jpg"),
        ("http://h/\x1b[31m", "http://h/_[31m"),
        ("http://h/" + "a" * 400, "http://h/" + "a" * 288 + "..."),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, seen: str) -> None:
    """A URL is shown without what may be secret in it."""
    assert redacted(url) == seen


@given(st.text(), st.sampled_from(["http://", "https://", "s3://", ""]))
def test_any_text_is_a_url_or_is_refused(text: str, scheme: str) -> None:
    """Any text can be shown, in a line, and is a URL or is refused as none."""
    assert redacted(scheme + text).isprintable()
    with suppress(UrlError):
        check_url(scheme + text)
