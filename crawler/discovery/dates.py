"""Dates as feeds and sitemaps write them.

What cannot be read for certain is unknown: a wrong date would have an article left out of a crawl of some months.
feedparser's own reading is not asked, for it makes the first of November of "2024/05/06", and today of "10:00".
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

MAX_LENGTH = 100  # characters; the longest forms, weekday and month written out, have some 50

_W3C = re.compile(  # W3C's note on dates and times, and what is often made of it: slashes, blanks, one digit
    r"(?P<year>\d{4})(?:(?P<mark>[-/])(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2})"
    r"(?:[Tt\s]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
    r"\s*(?P<zone>[A-Za-z]{1,5}|[+-]\d{1,2}(?::?\d{2})?)?)?)?)?",
    re.ASCII,
)
_COLON_IN_OFFSET = re.compile(r"([+-]\d{2}):(\d{2})\Z", re.ASCII)
# The years .NET and PHP write when they know none, out of which email's parser makes 2000 and 2001.
_NO_YEAR = re.compile(r"(?<=[a-z,])\s+(?:-?0001|0000)(?!\d)", re.IGNORECASE | re.ASCII)
_FIRST_YEAR = 1605  # the first newspaper's; earlier ones are what software writes when it knows none, as 0001-01-01
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # likewise


def iso(text: str | None) -> str | None:
    """Return a date in ISO 8601, as precise as *text* tells it, with an offset only if it tells one.

    Read are W3C's forms, down to a year alone, and those of e-mail, down to a day alone. ``None`` for what is no date,
    or stands for none.
    """
    text = (text or "").strip()
    if not text or len(text) > MAX_LENGTH:
        return None
    try:
        written = _W3C.fullmatch(text)
        return _written(written) if written else _mailed(text)
    except (ValueError, TypeError, IndexError, OverflowError):  # there is no such day, hour or offset; email's parser
        return None


def _written(found: re.Match[str]) -> str | None:
    day = date(int(found["year"]), int(found["month"] or 1), int(found["day"] or 1))
    if found["hour"] is None:
        known = day.year >= _FIRST_YEAR and (found["day"] is None or day != _EPOCH.date())
        return day.isoformat()[: 10 if found["day"] else 7 if found["month"] else 4] if known else None
    return _known(
        datetime(
            day.year,
            day.month,
            day.day,
            int(found["hour"]),
            int(found["minute"]),
            int(found["second"] or 0),
            int((found["fraction"] or "")[:6].ljust(6, "0")),
            tzinfo=_zone(found["zone"]),
        )
    )


def _mailed(text: str) -> str | None:
    if _NO_YEAR.search(text):
        return None
    if ":" not in text:
        told = _known(parsedate_to_datetime(f"{text} 00:00"))
        return told and told[:10]
    return _known(parsedate_to_datetime(_COLON_IN_OFFSET.sub(r"\1\2", text)))


def _zone(text: str | None) -> timezone | None:
    if text is None or text[0] not in "+-":
        return UTC if text in {"Z", "z", "UTC", "GMT"} else None  # other names mean different offsets
    digits = text[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if text.startswith("-") else offset)


def _known(at: datetime) -> str | None:
    if at.year < _FIRST_YEAR or (at if at.tzinfo else at.replace(tzinfo=UTC)) == _EPOCH:
        return None
    return at.isoformat()
