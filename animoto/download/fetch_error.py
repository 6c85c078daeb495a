"""The error of a download."""

from http import HTTPStatus


class FetchError(Exception):
    """A URL could not be fetched; the message is the reason, without the URL."""

    def __init__(self, reason: str, *, temporary: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.temporary = temporary
        """Whether another try may go better."""
        self.retry_after_s = retry_after_s
        """How long the server wants to be left alone."""


def status_text(status: int) -> str:
    """A status of HTTP with its usual words, if it has some."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
