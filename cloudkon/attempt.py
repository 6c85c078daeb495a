"""One try of something that is tried again by whoever calls it next time."""

import logging
from collections.abc import Callable

from cloudkon.errors import CloudKonError

log = logging.getLogger(__name__)


def attempt(act: Callable[[], object], about: object = None) -> bool:
    """Do it; log a CloudKonError instead of raising it, with what it was about, and return whether it succeeded."""
    try:
        act()
    except CloudKonError as error:
        log.warning("%s%s Trying again.", "" if about is None else f"{about}: ", error)
        return False
    return True
