"""What the addresses of a publication tell, where patterns on their paths say it all."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from archive.rules import path_of
from crawler.publication import AddressKind, Period

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The kinds of a publication's addresses, by patterns that are searched for in their paths.

    *article* may have the groups ``id`` (the publisher's own identity of an article, the same under any slug),
    ``year``, ``month`` and ``day``; *sitemap* may have ``year`` and ``month``. A month is a number or the first three
    letters of its English name. What fits several patterns is what comes first: *never*, *article*, *feed*, *sitemap*,
    *section*.
    """

    article: re.Pattern[str]
    section: re.Pattern[str]
    never: re.Pattern[str] = re.compile(r"(?!)")  # finds nothing
    feed: re.Pattern[str] = re.compile(r"/(?:rss|feeds?|atom)(?:[/._]|$)|\.rss$", re.IGNORECASE)
    sitemap: re.Pattern[str] = re.compile(r"/sitemap|\.xml(?:\.gz)?$", re.IGNORECASE)

    def kind_of(self, url: str) -> AddressKind:
        """Return what *url* is; "page" when no pattern tells."""
        path = path_of(url)
        if self.never.search(path):
            return "skip"
        if self.article.search(path):
            return "article"
        if self.feed.search(path):
            return "feed"
        if self.sitemap.search(path):
            return "sitemap"
        return "section" if path in {"", "/"} or self.section.search(path) else "page"

    def article_id(self, url: str) -> str | None:
        """Return the publisher's own identity of the article at *url*, or ``None`` when its address has none."""
        match = self.article.search(path_of(url))
        return match.groupdict().get("id") if match else None

    def period_of(self, url: str) -> Period | None:
        """Return the day in the address of an article, the month or year in that of a sitemap."""
        path = path_of(url)
        match = self.article.search(path) or self.sitemap.search(path)
        return _period(match.groupdict()) if match else None


def _period(groups: dict[str, str | None]) -> Period | None:
    year, month, day = (groups.get(name) for name in ("year", "month", "day"))
    try:
        if year is None:
            return None
        if month is None:
            return date(int(year), 1, 1), date(int(year), 12, 31)
        number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
        if day is not None:
            return date(int(year), number, int(day)), date(int(year), number, int(day))
        return date(int(year), number, 1), date(int(year), number, calendar.monthrange(int(year), number)[1])
    except ValueError:  # no such month or day (calendar's error is one too)
        return None
