"""Numbers for people's eyes, with their units."""

import math
from datetime import UTC, datetime

_SIZES = ("B", "kB", "MB", "GB", "TB")


def duration(ms: float | None) -> str:
    """Three digits and a unit, such as 12.3 ms; a dash for what is not known."""
    if ms is None:
        return "-"
    if ms < 0.9995:
        return f"{ms * 1000:.0f} µs"
    if ms < 999.5:
        return f"{_three_digits(ms)} ms"
    seconds = ms / 1000
    if seconds < 59.95:
        return f"{_three_digits(seconds)} s"
    return _long_duration(round(seconds))


def short_duration(ms: float) -> str:
    """As duration, in one unit: 12.3 ms, 40 min, 5 h."""
    if ms < 59_950:
        return duration(ms)
    for unit_ms, most, unit in ((60_000, 60, "min"), (3_600_000, 48, "h")):
        if ms < most * unit_ms:
            return f"{ms // unit_ms:.0f} {unit}"
    return f"{ms // 86_400_000:,.0f} d"


def _long_duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02} h"


def _three_digits(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A count and its noun, such as 1 task or 3,000 tasks."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def rate(per_s: float) -> str:
    return f"{per_s:,.0f}/s" if per_s >= 100 else f"{_three_digits(per_s)}/s"


def size(size_bytes: float) -> str:
    """In powers of a thousand, as disks and bills count."""
    unit = 0
    while size_bytes >= 999.5 and unit < len(_SIZES) - 1:
        size_bytes /= 1000
        unit += 1
    return f"{_three_digits(size_bytes) if unit else f'{size_bytes:.0f}'} {_SIZES[unit]}"


def dollars(usd: float) -> str:
    """Cents where there are many, and three digits of less."""
    if usd >= 10 or not usd:
        return f"{usd:,.2f}"
    if usd < 1e-6:
        return "<0.000001"
    return f"{usd:.{max(2, 2 - math.floor(math.log10(usd)))}f}"


def moment(ms: int) -> str:
    """Local time, with its offset from UTC left to the reader."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
