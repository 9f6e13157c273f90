"""Where a page leads: its links, the feeds it names, the other pages of its listing; and whether it is an article.

One parse and few queries of the tree, for this stands on the way of every page of a crawl.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Iterable

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archive.references import refresh_target
from crawler.discovery.declared import declares_article
from crawler.discovery.found import Found, Gathering, Reading, absolute
from crawler.discovery.paging import Paging

MAX_LINKS = 5_000  # front pages have 100 to 500; the longest yearly indexes some thousands
MAX_FEEDS = 50  # a portal names one a section
_MAX_SEEN = 20_000  # links looked at, those to the same address and those that lead nowhere among them
_MAX_BREAKS = 2_000  # a chapter of a novel has as many
_HEADLINE = 25  # characters; what menus and pagers link is shorter
_TEASER_PARAGRAPHS = 2
_TEASER = 1_000  # characters; the longest on front pages have some 500

_DIGITS = re.compile(r"\d+")
_WANTED = "base[href],a[href],area[href],link[rel][href],meta,script[type*='ld+json' i]"
_FEED_TYPES = frozenset(
    (
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
        "application/x-rss+xml",
        "text/rss+xml",
        "application/xml",
        "text/xml",  # of old; what oEmbed and WordPress name so is text/xml+oembed and application/json
    )
)
_FILES = frozenset(
    """jpg jpeg png gif webp avif svg svgz bmp ico tif tiff jxl heic psd
    mp4 m4v webm mov avi mkv flv wmv mpg mpeg 3gp ogv m3u8 mpd swf mp3 m4a ogg oga opus wav flac aac wma
    woff woff2 ttf otf eot css js mjs map wasm zip rar 7z gz tgz bz2 xz tar dmg exe msi apk deb rpm iso jar
    pdf doc docx xls xlsx ppt pptx odt ods odp rtf epub mobi djvu ics vcf torrent srt vtt""".split()  # noqa: SIM905
)  # suffixes of files that hold no page, easier to read in one text


def read_page(text: str, url: str, *, paging: bool = True) -> Reading:
    """Return what the page is and leads to. A stranger's page can hold the parser for long: call this in a worker.

    *paging*: whether each link is looked at for leading to another page of the same listing.
    """
    tree = LexborHTMLParser(text.encode("utf-8", "replace"))  # a lone surrogate, out of UTF-7, has no form in UTF-8
    nodes = tree.css(_WANTED)
    page = _Page(_base(nodes, url), url, Paging(tree), look_for_paging=paging)
    for node in nodes:
        page.read(node)
    article = declares_article(tree, page.meta, page.data, url=url, canonical=page.canonical)
    prose = words = 0
    if not article:
        prose, words = _prose(tree)
        for reference in page.paging.buttons():
            page.add(reference, paging=True)
    return Reading(
        form="page",
        links=[Found(address, paging=paging) for address, paging in page.links.items()],
        feeds=list(page.feeds),
        sitemaps=page.sitemaps.found(),
        article=article,
        prose=prose,
        words=words,
        canonical=page.canonical,
        refresh=page.refresh,
        problem=f"more than {len(page.links)} links; the rest is left out" if page.full else None,
    )


def _base(nodes: Iterable[LexborNode], url: str) -> str:
    for node in nodes:
        if node.tag == "base":  # the first one counts (HTML Standard, 4.2.3)
            return absolute(url, node.attributes.get("href")) or url
    return url


class _Page:
    """Collects what the elements of one page tell, in document order."""

    def __init__(self, base: str, url: str, paging: Paging, *, look_for_paging: bool) -> None:
        self.base, self.url, self.paging = base, url, paging
        self.look_for_paging = look_for_paging
        self.links: dict[str, bool] = {}  # by address, whether it is another page of the listing
        self.full = False  # some links were left out
        self.sitemaps = Gathering(base, MAX_FEEDS)
        self.feeds: dict[str, None] = {}
        self.meta: dict[str, str] = {}  # names in lower case, each one's first content
        self.data: list[str] = []  # JSON-LD
        self.canonical: str | None = None
        self.refresh: str | None = None
        self._seen: dict[str, str | None] = {}  # references as they stand, and their addresses; pages repeat them

    def read(self, node: LexborNode) -> None:
        tag = node.tag
        if tag in {"a", "area"}:
            self._anchor(node)
        elif tag == "link":
            self._link(node)
        elif tag == "meta":
            self._meta(node)
        elif tag == "script":
            self.data.append(node.text())

    def add(self, reference: str, *, paging: bool) -> None:
        url = self._address(reference)
        if url is not None:
            self._add(url, paging=paging)

    def _add(self, url: str, *, paging: bool) -> None:
        if paging or url not in self.links:
            if len(self.links) >= MAX_LINKS and url not in self.links:
                self.full = True
            else:
                self.links[url] = paging

    def _address(self, reference: str) -> str | None:
        if reference in self._seen:
            return self._seen[reference]
        if len(self._seen) >= _MAX_SEEN:
            self.full = True
            return None
        url = absolute(self.base, reference)
        if url is not None and _is_file(url):
            url = None
        self._seen[reference] = url
        return url

    def _anchor(self, node: LexborNode) -> None:
        attributes = node.attributes
        url = self._address(attributes.get("href") or "")
        if url is None:
            return
        relations = attributes.get("rel")
        if relations and "alternate" in relations.lower() and _is_feed(attributes):
            self._add_feed(url)
        else:
            self._add(url, paging=self.look_for_paging and self.paging.leads(node, attributes, url, self.url))

    def _link(self, node: LexborNode) -> None:
        attributes = node.attributes
        relations = set((attributes.get("rel") or "").lower().split())
        href = attributes.get("href") or ""
        if relations & {"next", "prev", "previous"}:
            self.add(href, paging=True)
        elif "canonical" in relations:
            self.canonical = self.canonical or absolute(self.base, href)
        elif "sitemap" in relations:
            self.sitemaps.add(href)
        elif "feed" in relations or (
            "alternate" in relations and "stylesheet" not in relations and _is_feed(attributes)
        ):
            url = absolute(self.base, href)
            if url is not None:
                self._add_feed(url)

    def _add_feed(self, url: str) -> None:
        if len(self.feeds) < MAX_FEEDS:
            self.feeds[url] = None

    def _meta(self, node: LexborNode) -> None:
        attributes = node.attributes
        content = attributes.get("content") or ""
        if (attributes.get("http-equiv") or "").strip().lower() == "refresh":
            # In noscript it is for readers without scripts, and often leads to a page that says so.
            if self.refresh is None and (node.parent is None or node.parent.tag != "noscript"):
                target = absolute(self.base, refresh_target(content.strip()))
                self.refresh = target if target != self.url else None  # a front page that reloads itself
        else:
            name = (attributes.get("property") or attributes.get("name") or "").strip().lower()
            if name:
                self.meta.setdefault(name, content)


def _is_feed(attributes: dict[str, str | None]) -> bool:
    return (attributes.get("type") or "").partition(";")[0].strip().lower() in _FEED_TYPES


@functools.lru_cache(maxsize=20_000)
def _is_file(url: str) -> bool:
    last = url.partition("?")[0].rpartition("/")[2]
    return "." in last and last.rpartition(".")[2].lower() in _FILES


def _prose(tree: LexborHTMLParser) -> tuple[int, int]:
    """Return the characters of the page's paragraphs without those of links in them, and without teasers; a checksum.

    One or two short paragraphs below a headline that is a link are the teaser of another page, and a listing may have
    more of these than an article has text.
    """
    checksum = 0

    def looked_at(text: str) -> int:
        nonlocal checksum
        text = " ".join(text.split())
        checksum = zlib.crc32(_DIGITS.sub("", text).encode("utf-8", "replace"), checksum)
        return len(text)

    if tree.css_first("p") is None:
        # Pages of the first decade have none, and part their paragraphs by breaks.
        holders = {line.parent.mem_id: line.parent for line in tree.css("br")[:_MAX_BREAKS] if line.parent is not None}
        return sum(looked_at(holder.text(deep=False)) for holder in holders.values() if holder.tag != "a"), checksum
    within = {node.mem_id for node in tree.css("p a")}
    headlines = {node.mem_id for node in tree.css("h1 a,h2 a,h3 a,h4 a,h5 a,h6 a")}
    prose = since = paragraphs = 0  # before the last headline; since then
    headline = False

    def counted() -> int:
        return 0 if headline and paragraphs <= _TEASER_PARAGRAPHS and since < _TEASER else since

    for node in tree.css("p,a[href]"):  # in document order, a paragraph before the links in it
        if node.tag == "p":
            length = looked_at(node.text())
            since += length
            paragraphs += length > 0
            continue
        length = _length(node.text())
        if node.mem_id in within:
            since -= length
        elif length >= _HEADLINE or (length and node.mem_id in headlines):
            prose, since, paragraphs, headline = prose + counted(), 0, 0, True
    return max(0, prose + counted()), checksum


def _length(text: str) -> int:
    return len(" ".join(text.split()))
