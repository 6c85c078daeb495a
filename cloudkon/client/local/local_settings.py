"""The settings of a worker on a person's own machine."""

from collections.abc import Mapping
from typing import Any

from cloudkon.settings import Settings

_DRAIN_S = 5.0
"""A person who pressed Ctrl-C waits no longer than this for tasks that were begun."""
_POLL_S = 0.1
"""How late the end of a run is noticed."""
_CANCEL_S = 0.2
"""How late a run learns that it was cancelled, or has reached its limit of failures."""
_RETRIES_VARIABLE = "CLOUDKON_RETRIES"


def local_settings(environ: Mapping[str, str], *, retries: int | None = None, keep_logs: bool = False) -> Settings:
    """A person is looking on: a run whose first tasks all fail is theirs to stop, and what fails is not tried again."""
    changes: dict[str, Any] = {"drain_s": _DRAIN_S, "poll_s": _POLL_S, "breaker_tasks": 0, "cancel_s": _CANCEL_S}
    if retries is not None or not environ.get(_RETRIES_VARIABLE):
        changes["retries"] = retries or 0
    if keep_logs:
        changes["keep_logs"] = 1
    return Settings.from_environ(environ, **changes)
