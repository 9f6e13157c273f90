"""Listings of a day or a month, told by their addresses: ``/2013/05/15/``, ``/news/2013-05``, ``/archive/2013/5/15``.

Of a site that has one such page, as a link to it shows, those of all days that a crawl is about can be named.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from crawler.publication import Period

MAX_PAGES = 20_000  # named by one pattern: 54 years of days

_ADDRESS = re.compile(
    r"(?P<before>https?://[^/?#]+/(?:[^?#]*/)?)(?P<year>(?:19|20)\d\d)(?P<mark>[/-])(?P<month>\d\d?)"
    r"(?:(?P=mark)(?P<day>\d\d?))?(?P<after>/?(?:index\.html?)?)",
    re.ASCII,
)
_YEAR = re.compile(r"https?://[^/?#]+/(?:[^?#]*/)?((?:19|20)\d\d)/?", re.ASCII)


class Pattern(NamedTuple):
    """How a site writes the addresses of its listings of days, or of months."""

    before: str
    mark: str  # between year, month and day
    padded: bool  # two digits always
    of_days: bool
    after: str

    def address(self, day: date) -> str:
        parts = [f"{day.year:04d}", *((f"{n:02d}" if self.padded else str(n)) for n in (day.month, day.day))]
        return self.before + self.mark.join(parts if self.of_days else parts[:2]) + self.after

    def between(self, first: date, last: date) -> Iterator[str]:
        """Yield the addresses of all days, or months, from *first* to *last*, the latest first."""
        day = last if self.of_days else last.replace(day=1)
        for _ in range(MAX_PAGES):
            if (day if self.of_days else _last_of_month(day)) < first:
                return
            yield self.address(day)
            day = day - timedelta(days=1)
            day = day if self.of_days else day.replace(day=1)


def pattern_of(url: str) -> Pattern | None:
    """Return the pattern that *url* follows; None when it is no listing of a day or month."""
    found = _ADDRESS.fullmatch(url)
    if found is None or period_of(url) is None:
        return None
    numbers = [number for number in (found["month"], found["day"]) if number]
    return Pattern(
        found["before"],
        found["mark"],
        all(len(number) == 2 for number in numbers),
        found["day"] is not None,
        found["after"],
    )


def period_of(url: str) -> Period | None:
    """Return the first and last day that a listing at *url* is about; None when its address names no day."""
    try:
        if year := _YEAR.fullmatch(url):
            return date(int(year[1]), 1, 1), date(int(year[1]), 12, 31)
        found = _ADDRESS.fullmatch(url)
        if found is None:
            return None
        first = date(int(found["year"]), int(found["month"]), int(found["day"] or 1))
    except ValueError:  # there is no such month or day
        return None
    return first, first if found["day"] else _last_of_month(first)


def _last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
