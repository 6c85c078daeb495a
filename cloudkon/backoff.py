"""How calls that failed are tried again: with exponential backoff and full jitter.

https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudkon.errors import CloudKonError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next try: a random part of a bound that doubles up to a cap."""

    base_s: float = 0.1
    cap_s: float = 20.0
    uniform: Callable[[float, float], float] = field(default=random.uniform)

    def delay_s(self, failures: int) -> float:
        """How long to wait after this many failures in a row (1 and up) [s]."""
        bound_s = min(self.cap_s, self.base_s * 2 ** min(failures - 1, 30))
        return self.uniform(0.0, bound_s)


def attempt(act: Callable[[], object], about: object = None) -> bool:
    """Do it; log a CloudKonError instead of raising it, with what it was about, and return whether it succeeded."""
    try:
        act()
    except CloudKonError as error:
        log.warning("%s%s Trying again.", "" if about is None else f"{about}: ", error)
        return False
    return True
