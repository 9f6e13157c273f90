"""One value for each field, chosen among what structured data, markup and address say; with its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from lxml.html import HtmlElement

from archive.article import Image
from archive.extraction import dates, markup, names, structured, titles
from archive.extraction.page import absolute, path_of
from archive.extraction.prose import clean
from archive.extraction.structured import Data, Structured
from archive.rules import PageView, host_of
from archive.schema_org import types

MOST_TAGS = 50


@dataclass(frozen=True)
class Facts:
    """Everything the general path reads a field from. What takes a pass over the page is read when it is asked for."""

    view: PageView
    data: Structured
    item: Data | None  # the JSON-LD object of this article
    complete: bool = False  # the data of this host's pages are known to name every author

    @cached_property
    def scope(self) -> HtmlElement:
        """The part of the page around the headline."""
        wanted = structured.string(self.item, "headline", "name") or self.data.first("og:title") or ""
        headings = markup.headlines(self.view.article)
        if not headings:
            return self.view.article
        best = max(headings, key=lambda pair: titles.agreement(pair[1], wanted)) if wanted else headings[0]
        return markup.near(best[0], self.view.article)

    @cached_property
    def times(self) -> tuple[str | None, str | None]:
        """The times of publication and of the last update that are shown in that part."""
        return markup.times(self.scope)

    @property
    def root(self) -> HtmlElement:
        return self.view.root


Chosen = tuple[str, str]  # value, source


def facts(view: PageView, data: Structured, *, complete: bool = False) -> Facts:
    """Gather what the fields are chosen from: the page and its data."""
    return Facts(view, data, own_item(structured.articles(data.objects), view), complete)


def own_item(items: Sequence[Data], view: PageView) -> Data | None:
    """Return the JSON-LD object that describes the article of this address, of several on the page."""
    if len(items) < 2:
        return items[0] if items else None
    canonical = markup.canonical(view.root, view.base)
    wanted = {_bare(url) for url in (view.url, canonical) if url}
    for item in items:
        for key in ("url", "mainEntityOfPage", "@id"):
            url = absolute(view.base, structured.address(item.get(key)))
            if url and _bare(url) in wanted:
                return item
    headings = [text for _, text in markup.headlines(view.article)]
    for item in items:
        headline = structured.string(item, "headline")
        if headline and any(titles.agreement(headline, text) >= titles.FULL_AGREEMENT for text in headings):
            return item
    return next((item for item in items if item.get("headline")), items[0])


def _bare(url: str) -> str:
    return host_of(url) + path_of(url).rstrip("/")


def title(given: Facts) -> Chosen | None:
    """Return the headline: the level-one heading that the data agree with, else the data, without the site's name."""
    headline = structured.string(given.item, "headline", "name", "alternativeHeadline")
    og = given.data.first("og:title", "twitter:title")
    tagged = clean(given.root.findtext(".//title") or "") or None
    shown = [text for _, text in markup.headlines(given.view.article)]
    told = [(text, source) for text, source in ((headline, "json-ld"), (og, "opengraph"), (tagged, "meta")) if text]
    return titles.choose(shown, told, site_names(given))


def site_names(given: Facts) -> list[str]:
    """Return what the site calls itself: the ends that its titles carry."""
    found = given.data.every("og:site_name", "application-name", "apple-mobile-web-app-title", "al:ios:app_name")
    for item in (given.item, *given.data.objects):
        if item and types(item) & {"newsmediaorganization", "organization", "website"}:
            found.extend(structured.strings(item.get("name")))
        if item and isinstance(item.get("publisher"), dict | list):
            found.extend(structured.strings(item.get("publisher")))
    host = host_of(given.view.url)
    return list(dict.fromkeys([*found, host, *host.split(".")[-3:-1]]))


def authors(given: Facts) -> tuple[list[str], str] | None:
    """Return all authors: of the data's list and the shown byline the fuller one where they agree, else the data's."""
    told = names.without_sites(names.distinct(_told_authors(given)))
    if told and given.complete:
        return told, "json-ld"
    called = [element for name, marked in given.data.props.items() if "author" in name for element in marked]
    shown = markup.authors(given.scope, called)
    if not shown and given.scope is not given.view.article:
        shown = markup.authors(given.view.article, called)
    if told:
        keys = [names.key(name) for name in told]
        fuller = len(shown) > len(told) and all(
            any(k in names.key(s) or names.key(s) in k for s in shown) for k in keys
        )
        return (shown, "markup") if fuller else (told, "json-ld")
    if shown:
        return shown, "markup"
    for text in given.data.every(
        "author", "article:author", "dc.creator", "dcterms.creator", "parsely-author", "sailthru.author"
    ):
        found = [] if text.startswith(("http://", "https://", "/")) else names.split(text)
        if found:
            return names.distinct(found), "meta"
    return None


def _told_authors(given: Facts) -> list[str]:
    if not given.item:
        return []
    for key in ("author", "creator"):
        value = given.item.get(key)
        people = value if isinstance(value, list) else [value]
        found: list[str] = []
        for person in people:
            for text in structured.strings(person):
                # A string may hold a whole byline; an object's name is one name, unless it plainly lists several.
                several = isinstance(person, str) or names.SEVERAL.search(text, 0, names.LONGEST_BYLINE)
                single = names.one(text)
                found.extend(names.split(text) if several else [single] if single else [])
        if found:
            return found
    return []


PUBLISHED_META = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "date",
    "pubdate",
    "publishdate",
    "publish-date",
    "publication_date",
    "dc.date",
    "dc.date.issued",
    "dcterms.created",
    "dcterms.date",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "last-modified",
)
MODIFIED_META = (
    "article:modified_time",
    "og:updated_time",
    "og:modified_time",
    "datemodified",
    "dcterms.modified",
    "lastmod",
)


def published(given: Facts) -> Chosen | None:
    """Return the time of publication, none when nothing but a guess is left or it lies after the capture."""
    return _fullest(_published(given), given)


def _published(given: Facts) -> Iterator[tuple[str | None, str]]:
    yield structured.string(given.item, "datePublished", "dateCreated", "uploadDate"), "json-ld"
    yield given.data.first("article:published_time", "og:article:published_time"), "opengraph"
    for value in given.data.microdata("datePublished")[:1]:
        yield value, "markup"
    yield given.times[0], "markup"
    for value in given.data.every(*PUBLISHED_META[2:-1])[:1]:
        yield value, "meta"
    yield dates.from_url(given.view.url), "url"


def modified(given: Facts) -> Chosen | None:
    """Return the time of the last change that the page states."""
    return _fullest(_modified(given), given)


def _modified(given: Facts) -> Iterator[tuple[str | None, str]]:
    yield structured.string(given.item, "dateModified"), "json-ld"
    yield given.data.first("article:modified_time", "og:updated_time"), "opengraph"
    for value in given.data.microdata("dateModified")[:1]:
        yield value, "markup"
    yield given.times[1], "markup"
    for value in given.data.every(*MODIFIED_META[2:])[:1]:
        yield value, "meta"


def _fullest(candidates: Iterable[tuple[str | None, str]], given: Facts) -> Chosen | None:
    """Return the first plausible time; a fuller one of the same day is preferred to a day alone.

    No more candidates are asked for than it takes.
    """
    first: Chosen | None = None
    for value, source in candidates:
        written = dates.plausible(dates.iso(value), given.view.captured_at)
        if not written:
            continue
        full = len(written) > len("2026-11-21") and not dates.is_midnight(written)
        if first is None:
            first = written, source
        if full and written[:10] == first[0][:10]:
            return written, source
    return first


def section(given: Facts) -> Chosen | None:
    """Return the section: the data's, else the second step of the breadcrumbs."""
    for text in structured.strings((given.item or {}).get("articleSection")):
        return text, "json-ld"
    told = given.data.first("article:section", "og:article:section", "section", "parsely-section")
    if told and not told.startswith("http"):
        return told, "opengraph"
    trail = structured.breadcrumbs(given.data.objects)
    return (trail[1], "json-ld") if len(trail) > 2 else None


def tags(given: Facts) -> tuple[list[str], str] | None:
    """Return the topics of an article, each once."""
    item = given.item or {}
    sources = (
        (structured.strings(item.get("keywords")), "json-ld"),
        (given.data.every("article:tag", "og:article:tag"), "opengraph"),
        (given.data.every("news_keywords"), "meta"),
        (given.data.every("keywords"), "meta"),
    )
    for values, source in sources:
        parts = [part.strip(" #") for value in values for part in re.split(r"\s*[,;]\s*", value)]
        found = names.distinct(part for part in parts if part and len(part) <= 80)
        if found:
            return found[:MOST_TAGS], source
    return None


def language(given: Facts) -> Chosen | None:
    """Return the language as the document, its data or its headers in meta elements declare it."""
    declared = markup.language(given.root)
    if declared:
        return declared, "markup"
    told = (given.item or {}).get("inLanguage")
    if isinstance(told, dict):
        told = told.get("alternateName") or told.get("name")
    found = markup.tag(told if isinstance(told, str) else None)
    if found:
        return found, "json-ld"
    found = markup.tag(given.data.first("og:locale"))
    if found:
        return found, "opengraph"
    found = markup.tag(given.data.first("content-language", "dc.language", "language"))
    return (found, "meta") if found else None


def description(given: Facts) -> Chosen | None:
    """Return what the page says the article is about, in a sentence or two."""
    for value, source in (
        (given.data.first("og:description"), "opengraph"),
        (given.data.first("description", "dc.description", "twitter:description"), "meta"),
        (structured.string(given.item, "description"), "json-ld"),
    ):
        if value:
            return value, source
    return None


def canonical(given: Facts) -> Chosen | None:
    """Return the address the page gives itself: its link element, else OpenGraph, else the data."""
    base = given.view.base
    link = markup.canonical(given.root, base)
    if link:
        return link, "markup"
    og = absolute(base, given.data.first("og:url"))
    if og:
        return og, "opengraph"
    item = given.item or {}
    told = absolute(base, structured.address(item.get("url")) or structured.address(item.get("mainEntityOfPage")))
    return (told, "json-ld") if told else None


def image(given: Facts) -> Chosen | None:
    """Return the address of the article's picture."""
    base = given.view.base
    told = absolute(base, structured.address((given.item or {}).get("image")))
    if told:
        return told, "json-ld"
    og = absolute(
        base, given.data.first("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
    )
    return (og, "opengraph") if og else None


def images(given: Facts) -> tuple[list[Image], str] | None:
    """Return the pictures of the article with captions and credits."""
    found = markup.images(given.scope, given.view.base)
    return (found, "markup") if found else None


def publisher(given: Facts) -> Chosen | None:
    """Return the publication's name."""
    told = structured.string(given.item, "publisher")
    if told:
        return told, "json-ld"
    site = given.data.first("og:site_name")
    if site:
        return site, "opengraph"
    named = given.data.first("application-name", "dc.publisher")
    return (named, "meta") if named else None
