"""Addresses without end: calendars, pages of listings that repeat themselves, paths that grow.

A listing, or a further page of a feed, is worth asking for as long as those like it lead to pages not seen on them
before. Which are alike is told by their address: where numbers and slugs stand, any number and slug may. After
:data:`BARREN_PAGES` of one kind in a row that showed nothing new, no more of them are asked for. Sitemaps are listed by
an index, and as many as it lists: they only may not be nested without end.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

BARREN_PAGES = 20  # a month of a date archive may lie empty; a calendar without end costs no more than these
BARREN = f"a trap: the last {BARREN_PAGES} pages of its kind led to nothing new"
MAX_URL = 2000  # characters; the longest addresses of news articles have some 300
MAX_REPEATS = 3  # of one path segment: /a/b/a/b/a/b is a relative link that feeds on itself (Heritrix: 3)
MAX_SEGMENTS = 20

LISTINGS = frozenset({"section", "page", "feed"})  # the kinds of page that may be one

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


def listing(kind: str, url: str, via: str | None) -> str | None:
    """Return the template by which a page is judged if it turns out to lead nowhere; None when it never is.

    Of feeds only further pages are, which others like them led to: a site has as many feeds as it has sections.
    """
    if kind not in LISTINGS:
        return None
    own = template(url)
    return own if kind != "feed" or (via is not None and template(via) == own) else None


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
