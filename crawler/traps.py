"""Addresses without end: calendars, pages of listings that repeat themselves, paths that grow.

A listing, or a feed, is worth asking for as long as those like it lead to pages not seen on them before. Which are
alike is told by their address: where numbers and slugs stand, any number and slug may. Once :data:`BARREN_PAGES` of one
kind in a row showed nothing new, no more of them are asked for that another like them led to, or another trap: only
what leads on to itself has no end. Listings of the past have one, and may be empty for long. Sitemaps are as many as an
index lists; they only may not be nested without end.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

BARREN_PAGES = 20  # a calendar without end costs no more than these
BARREN_PAST_PAGES = 400  # of listings of past dates: a year without a story, in an archive with a page a day
BARREN = "a trap: the last pages of its kind led to nothing new"
MAX_URL = 2000  # characters; the longest addresses of news articles have some 300
MAX_REPEATS = 3  # of one path segment: /a/b/a/b/a/b is a relative link that feeds on itself (Heritrix: 3)
MAX_SEGMENTS = 20

_PAST = " (of the past)"
_DATED = re.compile(r"/((?:19|20)\d\d)(?:[/-](0?[1-9]|1[0-2]))?(?:[/-](0?[1-9]|[12]\d|3[01]))?(?![\d])")

_NUMBER = re.compile(r"\d+")
_SLUG = re.compile(r"[^/]*(?:[-_][^/]*){2,}|[^/]*\d[^/]*|[^/]{25,}")


def template(url: str) -> str:
    """Return what addresses of one kind share: ``example.org/news/#/?page`` for ``…/news/17/?page=3``."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    segments = [_segment(segment) for segment in parts.path.split("/")]
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    return f"{parts.netloc}{'/'.join(segments)}{'?' + '&'.join(names) if names else ''}"


def may_be_listing(kind: str, url: str) -> bool:
    """Tell whether a page may be a listing: no article is dated after today, but a calendar may look like one."""
    return kind in ("section", "page", "feed") or (kind == "article" and _is_past(url) is False)


def listing(url: str, today: date | None = None) -> str:
    """Return what a listing at *url* is counted by: its template, apart for dates that are past."""
    return template(url) + (_PAST if _is_past(url, today) else "")


def _is_past(url: str, today: date | None = None) -> bool | None:
    """Tell whether the date that *url* names is today or before; None when it names none."""
    found = _DATED.search(url.partition("?")[0])
    if not found:
        return None
    now = today or datetime.now(UTC).date()
    named = tuple(int(part) for part in found.groups() if part)
    return named <= (now.year, now.month, now.day)[: len(named)]


def dated(url: str) -> tuple[date, date] | None:
    """Return the first and last of the days that a date in *url* stands for, of a year, a month or a day."""
    found = _DATED.search(url.partition("?")[0])
    if not found:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None
    try:
        first = date(year, month or 1, day or 1)
        last = date(year, month or 12, day or calendar.monthrange(year, month or 12)[1])
    except ValueError:  # the 31st of a month of 30 days
        return None
    return first, last


def is_trap(listing: str, barren: int) -> bool:
    """Tell whether listings counted as *listing*, of which the last *barren* showed nothing new, are a trap."""
    return barren >= (BARREN_PAST_PAGES if listing.endswith(_PAST) else BARREN_PAGES)


def _segment(segment: str) -> str:
    if _NUMBER.fullmatch(segment):
        return "#"
    return "*" if _SLUG.fullmatch(segment) else segment


def pathological(url: str) -> str | None:
    """Return why *url* leads nowhere by its form alone; None when nothing is wrong with it."""
    if len(url) > MAX_URL:
        return f"a trap: an address of {len(url)} characters"
    segments = [segment for segment in url.split("?", maxsplit=1)[0].split("/")[3:] if segment]
    if len(segments) > MAX_SEGMENTS:
        return f"a trap: a path of {len(segments)} parts"
    if len(segments) >= MAX_REPEATS * 2:
        most = max(segments, key=lambda segment: 0 if _NUMBER.fullmatch(segment) else segments.count(segment))
        if segments.count(most) >= MAX_REPEATS and not _NUMBER.fullmatch(most):
            return f"a trap: {most!r} stands {segments.count(most)} times in its path"
    return None
