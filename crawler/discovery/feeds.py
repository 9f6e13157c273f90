"""Feeds: RSS of every version, Atom, JSON Feed.

feedparser knows what publishers make of RSS and Atom. It is given bytes, never an address or a name of a file, for it
would open either; and it is given them mended, without texts of the length of articles, which nobody looks for here.
Dates are read from their text (:mod:`crawler.discovery.dates`).
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import feedparser

from archive.charsets import parseable
from crawler.discovery.dates import iso
from crawler.discovery.found import MAX_TITLE_LENGTH, Gathering, Reading, absolute, joined
from crawler.discovery.markup import mended, root

MAX_ITEMS = 5_000  # a feed has 10 to 100, a whole archive in one some thousands; an item takes up to a millisecond
MAX_HUBS = 10  # a feed names one or two
MAX_FEEDS = 20  # pages that a feed names as its next; there is one

_ITEM = re.compile(r"<(?:[\w.-]+:)?(?:item|entry)(?=[\s>])", re.IGNORECASE)
_MARKUP = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:[a-z][a-z0-9]*|#[0-9]+|#x[0-9a-f]+);", re.IGNORECASE)
_ITEMS = re.compile(r'"items"\s*:\s*\[')
_BETWEEN_ITEMS = re.compile(r"[\s,]*")
# Beside one, feedparser takes no guid for the address.
_EMPTY_LINK = re.compile(r"<link\s*+(?:/>|>\s*+(?:<!\[CDATA\[\s*+\]\]>\s*+)?</link\s*+>)", re.IGNORECASE)

Json = dict[str, Any]  # and feedparser's own, which it is a kind of


def read_feed(text: str, url: str) -> Reading:
    """Return what the feed, *text* from its first element on, lists. *url* is what its addresses are relative to."""
    name, _ = root(text)
    text = _EMPTY_LINK.sub("", mended(text))
    cut = _cut(text, name)
    try:
        feed = feedparser.parse(
            io.BytesIO((text if cut is None else cut).encode("utf-8", "replace")),
            response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
            resolve_relative_uris=False,  # those within texts
            sanitize_html=False,
        )
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - it was not made for hostile feeds, and raises whatever it comes upon
        return Reading("feed", problem=f"the feed cannot be read: {type(error).__name__}: {str(error)[:200]}")
    links = Gathering(url, MAX_ITEMS)
    atom = str(feed.get("version")).startswith("atom")
    for entry in feed.entries:
        published, modified = iso(_string(entry, "published")), iso(_string(entry, "updated"))
        if published is None and not atom:  # dc:date, which is all that RSS 1.0 has
            published, modified = modified, None
        links.add(_address(entry), title=_title(_string(entry, "title")), published=published, modified=modified)
    broken = feed.get("bozo_exception")
    return Reading(
        form="feed",
        links=links.found(),
        feeds=_next_pages(feed.feed, url),
        hubs=_distinct(_linked(feed.feed, "hub"), url, MAX_HUBS),
        problem=joined(
            f"broken XML ({broken}), read as far as it goes" if broken else None,
            f"more than {MAX_ITEMS} items; the rest is left out" if cut is not None else links.left_out("items"),
        ),
    )


def read_json_feed(text: str, url: str) -> Reading:
    """Return what a JSON Feed (versions 1 and 1.1) lists; one that is cut is read up to its last whole item."""
    problem = None
    feed: Any = None
    try:
        feed = json.loads(text, strict=False)
        items = feed.get("items") if isinstance(feed, dict) else None
        found: Iterator[Any] = iter(items if isinstance(items, list) else ())
    except (ValueError, RecursionError) as error:
        problem = f"broken JSON ({error}), read as far as it goes"
        found = _whole_items(text)
    links = Gathering(url, MAX_ITEMS)
    for item in found:
        if isinstance(item, dict):
            links.add(
                _string(item, "url") or _string(item, "external_url"),
                title=_title(_string(item, "title")),
                published=iso(_string(item, "date_published")),
                modified=iso(_string(item, "date_modified")),
            )
        if links.full:
            break
    following = absolute(url, _string(feed, "next_url")) if isinstance(feed, dict) else None
    named = feed.get("hubs") if isinstance(feed, dict) else None
    hubs = (_string(hub, "url") for hub in (named if isinstance(named, list) else ()) if isinstance(hub, dict))
    return Reading(
        "feed",
        links.found(),
        [following] if following else [],
        hubs=_distinct(hubs, url, MAX_HUBS),
        problem=joined(problem, links.left_out("items")),
    )


def _cut(text: str, name: str) -> str | None:
    """Return the feed with its first items only, or ``None`` when it has no more than it may have."""
    for number, item in enumerate(_ITEM.finditer(text)):
        if number == MAX_ITEMS:
            return text[: item.start()] + ("</channel>" if name.lower() == "rss" else "") + f"</{name}>"
    return None


def _address(entry: Json) -> str | None:
    original = _string(entry, "feedburner_origlink")
    if original and original.strip():
        return original
    link = _string(entry, "link")  # an Atom link to a page, or a guid that is one, where there is no link
    if link and link.strip():
        return link
    return next(_linked(entry, "alternate"), None)


def _linked(of: Json, *relations: str) -> Iterator[str]:
    links = dict.get(of, "links")  # anything, where a feed has an element of that name
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") in relations and (href := _string(link, "href")):
            yield href


def _title(text: str | None) -> str | None:
    """Return a title without markup, which RSS allows in it without a word about it, and without its escapes."""
    if text is None:
        return None
    text = _REFERENCE.sub(lambda found: html.unescape(found[0]), _MARKUP.sub("", text[: 10 * MAX_TITLE_LENGTH]))
    text = parseable(text).decode()  # JSON can hold what XML cannot, as halves of surrogate pairs
    return " ".join(text.split())[:MAX_TITLE_LENGTH] or None


def _next_pages(feed: Json, url: str) -> list[str]:
    """Return the further pages of a feed (RFC 5005): the next of a paged one, the one before of an archived one."""
    return _distinct(_linked(feed, "next", "prev-archive"), url, MAX_FEEDS)


def _distinct(references: Iterable[str | None], url: str, most: int) -> list[str]:
    """Return the first *most* addresses other than *url* that *references* on it mean."""
    found = (absolute(url, reference) for reference in references)
    return list(dict.fromkeys(page for page in found if page is not None and page != url))[:most]


def _whole_items(text: str) -> Iterator[Any]:
    start = _ITEMS.search(text)
    position = start.end() if start else len(text)
    decoder = json.JSONDecoder(strict=False)
    while position < len(text):
        between = _BETWEEN_ITEMS.match(text, position)
        try:
            item, position = decoder.raw_decode(text, between.end() if between else position)
        except (ValueError, RecursionError):
            return
        yield item


def _string(item: Json, name: str) -> str | None:
    # Asked as a plain dictionary: feedparser's own answers with the date published where that of changes is missing.
    value = dict.get(item, name)
    return value if isinstance(value, str) else None
