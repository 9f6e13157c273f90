"""What a request says about what it would rather have: ``Accept-Datetime`` (RFC 7089) and ``Prefer`` (RFC 7240)."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from email.utils import format_datetime

PREFERENCES = ("raw", "rewritten", "banner-only")

# RFC 7089, 2.1.1.1 takes the one form of RFC 1123, in GMT.
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT", re.ASCII
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class BadDatetime(ValueError):
    """``Accept-Datetime`` cannot be understood: 400."""


def accept_datetime(value: str | None) -> datetime | None:
    """Return the time that ``Accept-Datetime`` names, None when it is absent.

    Raises ``BadDatetime``.
    """
    if value is None:
        return None
    match = _DATE.fullmatch(value.strip())
    try:
        if match is None:
            raise ValueError(value)
        day, month, year, hour, minute, second = match.groups()
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError as error:
        raise BadDatetime(
            f"Accept-Datetime is {value[:80]!r}; write it as in: Thu, 31 May 2007 20:35:00 GMT"
        ) from error


def http_date(at: datetime) -> str:
    """Return *at* as headers carry it: ``Thu, 31 May 2007 20:35:00 GMT``."""
    return format_datetime(at.replace(microsecond=0), usegmt=True)


@functools.lru_cache(maxsize=4096)
def stamp_date(timestamp14: str) -> str:
    """Return the time that 14 digits name, as headers carry it."""
    return http_date(datetime.strptime(timestamp14 + "+0000", "%Y%m%d%H%M%S%z"))


def preference(value: str | None) -> str | None:
    """Return which form of the memento ``Prefer`` asks for. Others' preferences are passed over (RFC 7240, 2)."""
    for part in (value or "").split(","):
        name = part.partition(";")[0].strip().lower()
        if name in PREFERENCES:
            return name
    return None
