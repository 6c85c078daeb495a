"""Reads how long a server wants to be left alone (RFC 9110, 10.2.3)."""

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\s*(\d{1,12})(\.\d*)?\s*")


def retry_after_s(header: str, now: datetime) -> float:
    """The seconds in a Retry-After header, of a number or a date; 0 for what is neither, or is over."""
    if seconds := _SECONDS.fullmatch(header):
        return float(seconds[1])
    then = parse_date(header)
    return 0.0 if then is None else max(0.0, math.ceil((then - now).total_seconds()))


def parse_date(header: str) -> datetime | None:
    """The time in a date of HTTP, in any of its three forms; None if it is none."""
    for read in (parsedate_to_datetime, _read_asctime):
        try:
            then = read(header)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return then if then.tzinfo else then.replace(tzinfo=UTC)
    return None


def _read_asctime(header: str) -> datetime:
    return datetime.strptime(header.strip(), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
