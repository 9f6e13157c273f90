"""Neue Zürcher Zeitung, Switzerland: its own system on Nuxt.

* An article is ``/<section>/<slug>-ld.<number>``; the number is its identity.
* A live ticker is an ordinary article whose entries are headings with the hour; its data call it a NewsArticle.
* The text stands in one section with adverts, the paywall and boxes between its parts, each an ``articlecomponent``.
"""

from __future__ import annotations

import re

from archive.article import Link
from archive.elements import boxes, classed, found, paths, text_of
from archive.references import resolve
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("nzz.ch",)
ADDRESSES = Addresses(
    article=re.compile(r"-ld\.(?P<id>\d+)/?$|-(?P<old>1\.\d{6,})/?$"),
    section=re.compile(r"^/(?:[a-z-]+|themen/[a-z0-9-]+)/?$"),
    never=re.compile(r"^/(?:abo|login|suche|account|impressum)(?:/|$)"),
    sitemap=re.compile(r"^/sitemap/(?P<year>\d{4})/(?P<month>\d{2})|/sitemap"),
)
LEAST_ENTRIES = 2  # of a live ticker: a single heading with an hour may be an agenda's


def page_kind(view: PageView) -> str | None:
    """Return "live" for a page of entries with their hours."""
    entries = [entry for entry in classed(view.article, "time__value") if re.search(r"\bUhr\b", text_of(entry))]
    return "live" if len(entries) >= LEAST_ENTRIES else None


def related(view: PageView) -> list[Link]:
    """Return the articles that cards in the text lead to."""
    cards = found(view.article, ".//*[contains(@class, 'container--article')]//a[contains(@class, 'teaser__link')]")
    titles = [next(iter(classed(card, "teaser__title-name")), card) for card in cards]
    pairs = (
        (resolve(view.base, card.get("href") or ""), text_of(title)) for card, title in zip(cards, titles, strict=True)
    )
    return [Link(url, title) for url, title in pairs if url and title]


PUBLISHER = Publisher(
    name="Neue Zürcher Zeitung",
    hosts=HOSTS,
    languages=("de",),
    rules=(
        PageRules(
            name="nzz/2019",
            publisher="Neue Zürcher Zeitung",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            page_kind=page_kind,
            related=related,
            body=paths(
                ".//*[contains(@class, 'headline__lead')]",
                ".//*[contains(@class, 'container--article')]//*[contains(@class, 'articlecomponent')]",
            ),
            drop=boxes("footnote", "infobox"),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://www.nzz.ch/",),
    feeds=tuple(f"https://www.nzz.ch/{name}.rss" for name in ("startseite", "international", "schweiz", "wirtschaft")),
    sitemaps=("https://www.nzz.ch/sitemap/news0.xml", "https://www.nzz.ch/sitemap.xml"),
    period_of=ADDRESSES.period_of,
)
