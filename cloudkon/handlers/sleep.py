"""The task that only takes time: for measuring CloudKon itself."""

import math
import time
from typing import Any

from cloudkon.handlers.registry import task

MAX_SLEEP_MS = 12 * 3600 * 1000


@task("sleep")
def sleep(milliseconds: Any) -> None:
    """Sleep so many milliseconds; 0 does not even yield, for time.sleep(0) costs 50 microseconds on Linux."""
    try:
        duration_ms = float(milliseconds)
    except (TypeError, ValueError):
        duration_ms = math.nan
    if not 0 <= duration_ms <= MAX_SLEEP_MS:
        raise ValueError(f"sleep takes milliseconds from 0 to {MAX_SLEEP_MS:,}, not {milliseconds!r}")
    if duration_ms:
        time.sleep(duration_ms / 1000)
