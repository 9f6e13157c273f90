"""What a page is: an article, or one of the things that come in its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice

from lxml.html import HtmlElement

from archive.extraction import structured
from archive.extraction.page import path_of
from archive.extraction.prose import Block
from archive.extraction.structured import Structured
from archive.schema_org import types
from archive.walls import SHORT_PAGE, Wall, recognised

SHORT_TEXT = 250  # characters; less beside a paywall mark is a stub
LEAST_TEXT = 80  # characters; less is no article
MOST_HEADINGS = 3  # of the first level are looked at for what a wall says

PAYWALL = re.compile(
    r"subscribe to (?:read|continue|unlock)|subscribers? only|already a subscriber|to continue reading|"
    r"weiterlesen mit|nur für abonnenten|réservé aux abonnés|solo para suscriptores|per gli abbonati|"
    r"только для подписчиков",
    re.IGNORECASE,
)
GALLERY_TYPES = frozenset(("imagegallery", "mediagallery"))
INDEX_TYPES = frozenset(("collectionpage", "searchresultspage", "profilepage", "itemlist"))
LIVE_PATH = re.compile(
    r"/live(?:-?(?:blog|ticker|updates?|reporting))?/|-live(?:-|/|$)|/liveblog|/liveticker", re.IGNORECASE
)
GALLERY_PATH = re.compile(
    r"/(?:photo-?)?galler(?:y|ies)/|/photogaller|/fotostrecke|/bildstrecke|/slideshow/|/diaporama", re.IGNORECASE
)
HTML_TYPES = ("html", "xml", "text/plain")


def is_html(content_type: str | None, body: bytes) -> bool:
    """Tell whether a payload is a page: by its declared type, and by its first bytes where they contradict it."""
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(
        (b"%pdf-", b"\x89png", b"\xff\xd8\xff", b"gif8", b"pk\x03\x04", b"riff", b"\x1f\x8b", b"{", b"[")
    ):
        return False
    declared = (content_type or "").split(";")[0].strip().lower()
    if declared.endswith(("rss+xml", "atom+xml", "svg+xml")) or start.startswith(
        (b"<rss", b"<feed", b"<urlset", b"<sitemapindex")
    ):
        return False
    if not declared or any(kind in declared for kind in HTML_TYPES):
        return b"<" in body[:65_536] or b"<\x00" in body[:1024] or declared.endswith("html")
    return start.startswith((b"<!doctype html", b"<html"))


def kind(
    root: HtmlElement,
    data: Structured,
    url: str,
    title: str | None,
    text: str,
    paywalled: bool | None,
    visible: Callable[[], list[Block]],
    source: str,
) -> tuple[str, Sequence[str]]:
    """Return the kind of a page from its data, title, address and text; "article" when nothing says otherwise.

    With it, of a wall, by what it was told. *visible* gives the blocks of the whole page; it is asked for few pages.
    *source* is its markup.
    """
    described = bool(structured.articles(data.objects))
    named = set().union(*(types(item) for item in data.objects)) if data.objects else set()
    wall = None if "liveblogposting" in named else _wall(root, title, text, visible, source, described=described)
    if wall is not None:
        return wall.kind, wall.evidence
    return _kind(root, data, url, title, text, paywalled, named), ()


def _kind(
    root: HtmlElement,
    data: Structured,
    url: str,
    title: str | None,
    text: str,
    paywalled: bool | None,
    named: set[str],
) -> str:
    described = structured.articles(data.objects)
    if "liveblogposting" in named:
        return "live"
    path = path_of(url) if url else "/unknown"  # which is not the front page
    og_type = (data.first("og:type") or "").lower()
    if len(text) < LEAST_TEXT:
        if GALLERY_PATH.search(path) or named & GALLERY_TYPES:
            return "gallery"
        if _is_index(path, named, og_type, described=bool(described)) or (not described and _is_list(root)):
            return "index"
        return "stub" if text or described or title else "error"
    if paywalled and len(text) < SHORT_TEXT:
        return "stub"
    if described or og_type.startswith("article"):
        if LIVE_PATH.search(path) and "newsarticle" not in named:
            return "live"
        return "article"
    if GALLERY_PATH.search(path) or (named & GALLERY_TYPES and len(text) < SHORT_PAGE):
        return "gallery"
    if LIVE_PATH.search(path):
        return "live"
    if _is_index(path, named, og_type, described=False) or _is_list(root):
        return "index"
    return "article"


def _wall(
    root: HtmlElement,
    title: str | None,
    text: str,
    visible_blocks: Callable[[], list[Block]],
    source: str,
    *,
    described: bool,
) -> Wall | None:
    """Return what stands where an article should, when the page is short and says so."""
    if described or len(text) > SHORT_PAGE:
        return None
    visible = " ".join(block.text for block in visible_blocks())
    if len(visible) > SHORT_PAGE:
        return None
    first = [heading.text_content() for heading in islice(root.iter("h1"), MOST_HEADINGS)]
    headings = [" ".join(head.split()) for head in (root.findtext(".//title"), title, *first) if head]
    return recognised(headings=headings, text=visible, markup=source)


def _is_index(path: str, named: set[str], og_type: str, *, described: bool) -> bool:
    if described:
        return False
    return (
        path in {"", "/"} or bool(named & INDEX_TYPES) or (og_type in {"website", "profile"} and path.count("/") <= 2)
    )


def _is_list(root: HtmlElement) -> bool:
    """Tell whether a page is made of teasers: many headings that are links, hardly a paragraph."""
    headings = [h for h in root.iter("h2", "h3", "h4") if h.find(".//a") is not None or _in_anchor(h)]
    prose = sum(1 for p in root.iter("p") if len(p.text_content()) > 120)
    return len(headings) >= 8 and len(headings) > 2 * prose


def _in_anchor(element: HtmlElement) -> bool:
    return any(ancestor.tag == "a" for ancestor in element.iterancestors())


def paywalled(data: Structured, text: str, visible: Callable[[], list[Block]]) -> bool | None:
    """Return whether the page says it is behind a paywall; ``None`` when it says nothing."""
    for item in structured.articles(data.objects):
        free = item.get("isAccessibleForFree")
        if free is not None:
            return str(free).strip().lower() in {"false", "0", "no"}
    tier = (data.first("article:content_tier", "og:article:content_tier") or "").lower()
    if tier:
        return tier in {"locked", "metered"}
    return True if len(text) < SHORT_PAGE and any(PAYWALL.search(block.text) for block in visible()) else None
