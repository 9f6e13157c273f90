"""Addresses: what each is, which article it shows, where its print version lies, and where a listing goes on."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date
from urllib.parse import urlsplit

from archive.rules import path_of
from crawler.publication import AddressKind, Period

ENGLISH = ("themoscowtimes.com",)
RUSSIAN = ("ru.themoscowtimes.com", "moscowtimes.ru")
SECTIONS = (
    "news",
    "opinion",
    "business",
    "climate",
    "diaspora",
    "meanwhile",
    "arts-and-life",
    "features",
    "ukraine-war",
    "lectures",
)
LISTS = ("videos", "galleries", "podcasts")
FEEDS = ("news", "opinion", "city", "arts-and-life", "meanwhile", "podcasts", "in-depth", "all")
FIRST_PAGE, NEXT_PAGE, LIST_PAGE = 19, 18, 20  # items: of a section's page, of the fragments after it, of other lists

ARTICLE_PATH = re.compile(r"^/\d{4}/\d{2}/\d{2}/[^/]*?-a(\d+)(/pdf)?/?$")
BARE_PATH = re.compile(r"^/all/(\d+)/?$")
REDIRECTED_PATH = re.compile(r"^/(?:news|articles|photogalleries)/[^/]*-(\d+)/?$")
LEGACY_PATH = re.compile(r"/article/(?:[^/]+/){0,2}(\d+)(?:\.html?)?/?$")
ARCHIVE_PATH = re.compile(r"^/archive/(?!(?:author|\d{4})(?:/|$))([^/]+)/?$")
LIVE_PATH = re.compile(r"^/live/(\d+)(?:/|$)")
PLUS_PATH = re.compile(r"^/plus/([^/]+/[^/]+)/?$")  # content of others, a campaign and its articles
NAMED_PATHS = {"article": LEGACY_PATH, "archive": ARCHIVE_PATH, "live": LIVE_PATH, "plus": PLUS_PATH}
DAY_PATH = re.compile(r"^/(\d{4})/(\d{2})/(\d{2})/")
SITEMAP_PATH = re.compile(r"/(\d{4})-(\d{1,2})\.xml$")
SECTION_PATH = re.compile(rf"^/({'|'.join(SECTIONS)}|in-depth)(?:/(\d+))?/?$")  # in-depth: features, by another name
LIST_PATH = re.compile(rf"^(/(?:{'|'.join(LISTS)}|(?:tag|all-about)/[^/]+))(?:/(\d+))?/?$")
OTHER_INDEX_PATH = re.compile(
    r"^/(?:(?:tag|all-about|author|archive/author)/.+|plus(?:/[^/]+)?|archive(?:/\d{4}(?:/\d{1,2}){0,2})?|search)?/?$"
)
NEVER_PATH = re.compile(r"^/(?:preview|search|api|contribute\d*|newsletter\w*|account|page)(?:/|$)")


def article_id(url: str) -> str | None:
    """Return ``a24008`` for any address of that article; for the archive and the oldest pages their own names."""
    path = path_of(url)
    for pattern in (ARTICLE_PATH, BARE_PATH, REDIRECTED_PATH):
        match = pattern.search(path)
        if match:
            return f"a{match[1]}"
    for name, pattern in NAMED_PATHS.items():
        match = pattern.search(path)
        if match:
            return f"{name}/{match[1]}"
    return None


def print_version(url: str) -> str | None:
    """Return the address of an article's print version; only dated addresses have one."""
    match = ARTICLE_PATH.search(path_of(url))
    if not match or match[2]:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/pdf"


def is_index(url: str) -> bool:
    """Tell whether *url* is that of a page that lists articles."""
    path = path_of(url)
    return any(pattern.search(path) for pattern in (SECTION_PATH, LIST_PATH, OTHER_INDEX_PATH))


def kind_of(url: str) -> AddressKind:
    """Return what an address of the site is: an article by its number, a listing by its path.

    Print versions and bare articles show again what the article's own page shows. A print version is asked for beside
    that page, whoever links to it.
    """
    path = path_of(url)
    dated = ARTICLE_PATH.search(path)
    if NEVER_PATH.search(path) or BARE_PATH.search(path) or (dated and dated[2]):
        return "skip"
    if article_id(url):
        return "article"
    if path.startswith(("/rss/", "/feeds/")):
        return "feed"
    if is_index(url):
        return "section"
    return "sitemap" if path.endswith(".xml") else "page"


def paging(url: str, articles: int) -> Sequence[str]:
    """Return the address of the fragment that scrolling loads next: an empty one is the end."""
    section, listing = SECTION_PATH.search(path_of(url)), LIST_PATH.search(path_of(url))
    if not articles or not (section or listing):
        return ()
    if section:
        path, shown = f"/{section[1]}", int(section[2] or 0)
        following = shown + NEXT_PAGE if shown else FIRST_PAGE
    else:
        assert listing is not None
        path, following = listing[1], int(listing[2] or 0) + LIST_PAGE
    parts = urlsplit(url)
    return (f"{parts.scheme}://{parts.netloc}{path}/{following}",)


def period_of(url: str) -> Period | None:
    """Return the day of an article, the month of a sitemap, as the address tells it."""
    path = path_of(url)
    try:
        if dated := DAY_PATH.search(path):
            day = date(int(dated[1]), int(dated[2]), int(dated[3]))
            return day, day
        if month := SITEMAP_PATH.search(path):
            year, number = int(month[1]), int(month[2])
            return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])
    except ValueError:  # no such day or month
        return None
    return None
