"""Patience at the start: a service that gives no answer is asked again, as it is while a worker works."""

import logging
from collections.abc import Callable
from typing import TypeVar

from cloudkon.backoff import Backoff
from cloudkon.clock import Clock
from cloudkon.errors import UnavailableError

log = logging.getLogger(__name__)

TRIES = 6
_T = TypeVar("_T")


def patiently(ask: Callable[[], _T], clock: Clock, backoff: Backoff | None = None) -> _T:
    """What ask returns; raises UnavailableError if it has raised that so many times, with waits between."""
    backoff = backoff or Backoff(base_s=0.5, cap_s=5.0)
    for failures in range(1, TRIES):
        try:
            return ask()
        except UnavailableError as error:
            log.warning("%s Trying again.", error)
            clock.sleep(backoff.delay_s(failures))
    return ask()
