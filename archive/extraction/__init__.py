"""A captured page to an article: a pure function, the same for a fresh response and a record of years ago."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from archive.article import Article, Extractor, Link, text_digest
from archive.extraction import alternates, dates, genres, kinds, markup, merge, related, structured
from archive.extraction import body as body_text
from archive.extraction.body import Body, note
from archive.extraction.cut import cut
from archive.extraction.learned import (
    NOTHING,
    Layout,
    Learned,
    LeftOut,
    Seen,
    fingerprint,
    is_read_whole,
    layout_of,
    unrepeated,
)
from archive.extraction.merge import Facts
from archive.extraction.own import own_article
from archive.extraction.page import Page, absolute, base_url, parse
from archive.extraction.page import text_of as decoded
from archive.extraction.prose import Block, blocks
from archive.rules import PageRules, PageView, select
from archive.version import VERSION

__all__ = ["LeftOut", "Page", "Reading", "extract", "read"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page gave: its article, what it adds to what is learned of its host, and what was left out, and why."""

    article: Article
    seen: Seen | None = None
    left_out: tuple[LeftOut, ...] = ()


def extract(page: Page, rules: Sequence[PageRules] = (), learned: Learned = NOTHING) -> Article:
    """Return the article of *page*, read with the publisher's *rules* where one is meant for it.

    Every page gives an article, also an empty or broken one: what is unknown stays unknown, and ``page_kind`` tells
    what the page is. ``record_id``, ``payload_digest`` and ``captured_at`` are left to the caller, who knows the
    record. No network, no clock, no files; time and memory are bounded by whoever calls this with strangers' pages.
    *learned* is what is known of the host from pages read before.
    """
    return read(page, rules, learned).article


def read(page: Page, rules: Sequence[PageRules] = (), learned: Learned = NOTHING, *, explain: bool = False) -> Reading:
    """Return the article of *page* as :func:`extract` does, and what the page adds to what is learned of its host.

    With *explain* also the lines that were left out of the text, and why.
    """
    if not kinds.is_html(page.content_type, page.body):
        return Reading(Article(url=page.url, page_kind="other", extractor=Extractor(version=VERSION)))
    html = decoded(page)
    sparing = not explain and not is_read_whole(page.url)
    if sparing and learned.layout is not None and learned.layout.cut:
        at_once = _cut(page, html, rules, learned)
        if at_once is not None and at_once.seen is not None and not at_once.seen.whole:
            return at_once
    left_out: list[LeftOut] | None = [] if explain else None
    reading = _read(page, html, rules, learned, learned.layout if sparing else None, left_out)
    if reading is None:
        return Reading(Article(url=page.url, page_kind="stub", extractor=Extractor(version=VERSION)))
    known = learned.layout
    if known is None or known.region is None or reading.seen is None or explain or (known.cut is False and sparing):
        return reading
    other = _cut(page, html, rules, learned)
    same = other is not None and other.article == reading.article
    return replace(reading, seen=replace(reading.seen, cut=same))


def _cut(page: Page, html: str, rules: Sequence[PageRules], learned: Learned) -> Reading | None:
    """Return the reading of a page of a known layout cut to its region, ``None`` when it has no such region."""
    layout = learned.layout
    shorter = cut(html, layout.region) if layout is not None and layout.region is not None else None
    return _read(page, shorter, rules, learned, layout) if shorter is not None else None


def _read(
    page: Page,
    html: str,
    rules: Sequence[PageRules],
    learned: Learned,
    layout: Layout | None,
    left_out: list[LeftOut] | None = None,
) -> Reading | None:
    """Return the reading of a page's text, or of a part of it; ``None`` when there is nothing in it."""
    root = parse(html)
    if root is None:
        return None
    data = structured.read(root, microdata="itemprop" in html or "ITEMPROP" in html)
    view = PageView(root, root, page.url, base_url(root, page.url), page.captured_at, data.objects)
    rule = select(rules, view)
    own = rule.own_article(view) if rule is not None and rule.own_article is not None else None
    if own is None:
        own = own_article(root, page.url, [*data.every("og:title"), *_headlines(data)])
    if own is not None:
        view = replace(view, article=own)
    article = Article(
        url=page.url,
        extractor=Extractor(version=VERSION, rules=rule.name if rule else None, learned=learned.digest),
    )
    given = merge.facts(view, data, complete=layout is not None and layout.complete)
    _fields(article, given, rule)
    visible = cache(lambda: blocks(root))
    found = _body(article, given, rule, visible, layout, left_out)
    lines = [fingerprint(block.text) for block in found.blocks]
    seen = _seen(article, found, lines, given)
    repeating = found.blocks
    found.blocks = unrepeated(found.blocks, lines, learned.repeated)
    note(left_out, repeating, found.blocks, REPEATS)
    article.text = found.text
    article.text_digest = text_digest(article.text)
    article.links = _links(found, view.base)
    if found.source and found.blocks:
        article.sources["text"] = found.source
        if article.links:
            article.sources["links"] = found.source
    _related(article, found, view, rule)
    _kind(article, given, rule, visible, html)
    _genre(article, given)
    alternates.read(article, view, rule, continued=alternates.may_continue(html))
    article = article.storable()
    return Reading(article, seen if article.page_kind in LEARNED_FROM else None, tuple(left_out or ()))


REPEATS = "repeats on other pages of the host"
READ_AS_ARTICLES = frozenset(("article", "live", "gallery", "stub"))
LEARNED_FROM = frozenset(("article", "live"))  # kinds of pages; of others nothing is learned


def _seen(article: Article, found: Body, lines: Sequence[int | None], given: Facts) -> Seen:
    layout = None
    if found.whole and found.home is not None and article.sources.get("text") != "publisher-rule":
        complete = bool(article.authors) and article.sources.get("authors") == "json-ld"
        layout = layout_of(found.home, given.root, complete=complete)
    distinct = tuple(line for line in dict.fromkeys(lines) if line is not None)
    return Seen(distinct, fingerprint(article.title or ""), layout, whole=found.whole)


def _headlines(data: structured.Structured) -> list[str]:
    return [title for item in structured.articles(data.objects)[:1] if (title := structured.string(item, "headline"))]


FIELDS: dict[str, Callable[[Facts], tuple[Any, str] | None]] = {
    "title": merge.title,
    "authors": merge.authors,
    "published": merge.published,
    "modified": merge.modified,
    "section": merge.section,
    "tags": merge.tags,
    "language": merge.language,
    "description": merge.description,
    "canonical_url": merge.canonical,
    "image": merge.image,
    "images": merge.images,
    "publisher": merge.publisher,
}


def _fields(article: Article, given: Facts, rule: PageRules | None) -> None:
    for name, general in FIELDS.items():
        own = getattr(rule, name, None) if rule else None
        value: Any = own if isinstance(own, str) else own(given.view) if own else None
        if name in {"published", "modified"}:
            value = dates.plausible(value, _utc(given.view.captured_at))
        source = "publisher-rule"
        if not value:
            value, source = general(given) or (None, "")
        if value:
            setattr(article, name, value)
            article.sources[name] = source
    if rule and rule.article_id:
        article.article_id = rule.article_id(article.url) or (
            rule.article_id(article.canonical_url) if article.canonical_url else None
        )
        if article.article_id:
            article.sources["article_id"] = "publisher-rule"


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _body(
    article: Article,
    given: Facts,
    rule: PageRules | None,
    visible: Callable[[], list[Block]],
    layout: Layout | None,
    left_out: list[LeftOut] | None,
) -> Body:
    view = given.view
    about = article.description
    drop = list(dict.fromkeys(rule.drop(view))) if rule and rule.drop else []
    containers = rule.body(view) if rule and rule.body else []
    if containers:
        found = body_text.from_containers(containers, drop, view.base, about)
        if found.blocks:
            return found
    shown = [article.title or "", *markup.subtitles(view.article), *article.authors, f"By {', '.join(article.authors)}"]
    told = (given.item or {}).get("articleBody")
    told = told if isinstance(told, str) and told.strip() else None
    known = body_text.Known(view.base, shown, about, told, left_out)
    if layout is not None and not drop and view.article is view.root:
        at_once = body_text.in_layout(view.root, layout, known)
        if at_once is not None:
            return at_once
    on_page = visible() if view.article is view.root and not drop else blocks(view.article, drop)
    found = body_text.general(view.article, on_page, known, drop)
    return body_text.from_text(told, view.root) if told and not found.blocks else found


def _links(found: Body, base: str) -> list[Link]:
    pairs = ((absolute(base, href), title) for block in found.blocks for href, title in block.links)
    return [Link(url, title) for url, title in pairs if url]


def _related(article: Article, found: Body, view: PageView, rule: PageRules | None) -> None:
    own = rule.related(view) if rule and rule.related else []
    if own:
        article.related, article.sources["related"] = related.distinct(own), "publisher-rule"
    elif found.related:
        article.related, article.sources["related"] = (
            found.related,
            "publisher-rule" if found.source == "publisher-rule" else "markup",
        )


def _kind(
    article: Article, given: Facts, rule: PageRules | None, visible: Callable[[], list[Block]], html: str
) -> None:
    article.paywalled = kinds.paywalled(given.data, article.text, visible)
    if article.paywalled is not None:
        article.sources["paywalled"] = "json-ld" if given.item and "isAccessibleForFree" in given.item else "meta"
    own = rule.page_kind(given.view) if rule and rule.page_kind else None
    if own:
        article.page_kind = own
        return
    article.page_kind, evidence = kinds.kind(
        given.root, given.data, article.url, article.title, article.text, article.paywalled, visible, html
    )
    article.page_evidence = list(evidence)


def _genre(article: Article, given: Facts) -> None:
    found = genres.genre(given.data, given.item, article.section, article.url)
    if found and article.page_kind in READ_AS_ARTICLES:
        article.genre, article.sources["genre"] = found
