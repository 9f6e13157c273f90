"""Dates as feeds and sitemaps write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

MAX_LENGTH = 100  # characters; the longest forms, weekday and month written out, have some 50

_W3C = re.compile(  # W3C's note on dates and times, and what is often made of it: blanks, one digit, a zone's name
    r"(?P<year>\d{4})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2})"
    r"(?:[Tt\s]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?)?)?)?",
    re.ASCII,
)
_FIRST_YEAR = 1605  # the first newspaper's; earlier ones are what software writes when it knows none, as 0001-01-01
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # likewise


def iso(text: str | None, utc: tuple[int, ...] | None = None) -> str | None:
    """Return a date in ISO 8601, as precise as *text* tells it, with an offset only if it tells one.

    Read are W3C's forms, down to a year alone, and those of e-mail. *utc*, year to second, is what another parser
    made of the same text, for what neither covers. ``None`` for what is no date, or stands for none.
    """
    text = (text or "").strip()
    if not text or len(text) > MAX_LENGTH:
        return None
    written = _W3C.fullmatch(text)
    try:
        if written is None:
            return _told(_mailed(text) or (datetime(*utc[:6], tzinfo=UTC) if utc else None))
        if written["day"] is None:
            month = date(int(written["year"]), int(written["month"] or 1), 1)
            return month.isoformat()[: 7 if written["month"] else 4] if month.year >= _FIRST_YEAR else None
        day = date(int(written["year"]), int(written["month"]), int(written["day"]))
        if written["hour"] is None:
            known = day.year >= _FIRST_YEAR and day != _EPOCH.date()
            return day.isoformat() if known else None
        return _told(
            datetime(
                day.year,
                day.month,
                day.day,
                int(written["hour"]),
                int(written["minute"]),
                int(written["second"] or 0),
                int((written["fraction"] or "")[:6].ljust(6, "0")),
                tzinfo=_zone(written["zone"]),
            )
        )
    except (ValueError, OverflowError):  # there is no such day, hour or offset
        return None


def _mailed(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)  # without an offset where it knows none by that name
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    digits = text.lstrip("+-").replace(":", "")
    if not digits.isdigit():
        return UTC
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if text.startswith("-") else offset)


def _told(at: datetime | None) -> str | None:
    if at is None or at.year < _FIRST_YEAR:
        return None
    return at.isoformat() if (at if at.tzinfo else at.replace(tzinfo=UTC)) != _EPOCH else None
