"""Any site: ``-a start=URL``. Feeds, sitemaps and sections are found by themselves, articles told by their pages.

An address alone tells little on a site nobody has looked at. What it does tell is only used to ask for what are most
likely articles first, and to know a listing by; whether a page is an article, its own markup decides.
"""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import urlsplit

from archive.references import resolve
from crawler.publication import AddressKind, ArgumentError, Period, Publication, host_with_port

_LISTING = re.compile(
    r"/(?:tags?|topics?|categor(?:y|ies)|sections?|authors?|archives?|page|pages|search|calendar|label|rubri[ck]s?|themen?"
    r"|dossiers?|etiquetas?|tema)(?:/|$)|[?&](?:page|paged|p|offset|start)=\d+",
    re.IGNORECASE,
)
_DATE_ONLY = re.compile(r"/(?:19|20)\d\d(?:[/-](?:0?[1-9]|1[0-2])(?:[/-](?:0?[1-9]|[12]\d|3[01]))?)?/?$")
_DATED = re.compile(r"/((?:19|20)\d\d)[/-](\d{1,2})(?:[/-](\d{1,2}))?(?:[/-]|$)")
_SLUG = re.compile(r"[^/]*[^\W\d_][^/]*(?:[-_][^/-]+){3,}[^/]*/?$")  # four words and more
_NUMBERED = re.compile(r"[^/]*[^\W\d_][^/]*[-_][a-z]{0,2}\d{3,}[^/]*/?$|\d{5,}(?:\.\w+)?/?$")
_NEVER = re.compile(
    r"/(?:wp-admin|wp-login|wp-json|login|logout|signin|sign-in|signup|register|cart|checkout|xmlrpc\.php)(?:[/.?]|$)"
    r"|[?&](?:replytocom|share|action)=",
    re.IGNORECASE,
)
_FEED = re.compile(r"/(?:feed|rss|atom)(?:/|\.xml)?$|\.rss$", re.IGNORECASE)


def kind_of(url: str) -> AddressKind:
    """Return what *url* looks like."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if _NEVER.search(path):
        return "skip"
    if _FEED.search(parts.path):
        return "feed"
    if _LISTING.search(path) or _DATE_ONLY.search(parts.path) or parts.path in ("", "/"):
        return "section"
    dated = _DATED.search(parts.path)
    last = parts.path.rstrip("/").rpartition("/")[2]
    if (dated and last and not last.isdigit()) or _SLUG.match(last) or _NUMBERED.match(last):
        return "article"
    return "page"


def period_of(url: str) -> Period | None:
    """Return the day in the address of an article; of what is no article a date need not say when it was published."""
    found = _DATED.search(urlsplit(url).path)
    if not found or found[3] is None or kind_of(url) != "article":
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return day, day


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that hold no address, a port that is none
        return False


def publication(start: str = "", **unknown: str) -> Publication:
    """Return the site of *start*, an address or several parted by blanks."""
    if unknown:
        raise ArgumentError(f"spider generic knows no argument {', '.join(unknown)}; it takes start=URL")
    addresses = start.split()
    if not addresses:
        raise ArgumentError("spider generic needs to know where to start: -a start=https://example.org/")
    for address in addresses:
        if not _is_address(address):
            raise ArgumentError(f"start={address!r} is no address; write it whole: https://example.org/")
    addresses = [resolve(address, address) or address for address in addresses]  # names beyond ASCII as links have them
    return Publication(
        hosts=tuple(dict.fromkeys(map(host_with_port, addresses))),
        kind_of=kind_of,
        home=tuple(addresses),
        guesses=("/sitemap.xml",),
        period_of=period_of,
    )
