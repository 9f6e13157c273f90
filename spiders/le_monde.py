"""Le Monde, France: its own system ("Sirius").

* An article is ``/<section>/<kind>/YYYY/MM/DD/<slug>_<number>_<section number>.html``; the number is its identity.
* The lead under the headline is part of the article. Boxes that ask for an account or lead elsewhere stand in the text,
  and a locked article ends in a line that says how much of it is left.
* Live pages have the kind ``live`` in their addresses and entries of their own.
"""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from archive.article import Link
from archive.elements import boxes, classed, found, links, text_of
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("lemonde.fr",)
ADDRESSES = Addresses(
    article=re.compile(
        r"/(?:article|live|visuel|video|portfolio)/(?P<year>\d{4})/(?P<month>\d{2})/(?P<day>\d{2})/[^/]*_(?P<id>\d+)_\d+\.html$"
    ),
    section=re.compile(r"^/[a-z-]+(?:/\d+)?/?$"),
    never=re.compile(r"^/(?:abo|sfuser|compte|recherche|memorable|faq)"),
    sitemap=re.compile(r"/sitemap/articles/(?P<year>\d{4})/(?P<month>\d{2})|/sitemap"),
)
LEFT = re.compile(r"^Il vous reste [\d.,]+\s*% de cet article à lire")


def drop(view: PageView) -> list[HtmlElement]:
    """Return the boxes in the text, and the line that tells how much of a locked article is left."""
    lines = found(view.article, ".//*[contains(@class, 'article__content')]//p")
    return [
        *classed(view.article, "catcher", "inread", "article__readmore", "article__reading-time", "multimedia-embed"),
        *(line for line in lines if LEFT.search(text_of(line))),
    ]


def related(view: PageView) -> list[Link]:
    """Return the articles that boxes in the text lead to."""
    return links(found(view.article, ".//*[contains(@class, 'article__readmore')]//a[@href]"), view.base)


def page_kind(view: PageView) -> str | None:
    """Return what the address says of a page that its data call an article."""
    return "live" if "/live/" in view.url else "gallery" if "/portfolio/" in view.url else None


PUBLISHER = Publisher(
    name="Le Monde",
    hosts=HOSTS,
    languages=("fr", "en"),
    rules=(
        PageRules(
            name="le_monde/2018",
            publisher="Le Monde",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            page_kind=page_kind,
            related=related,
            body=boxes("article__desc", "article__content", "content--live"),
            drop=drop,
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://www.lemonde.fr/", "https://www.lemonde.fr/en/"),
    feeds=tuple(f"https://www.lemonde.fr/{name}/rss_full.xml" for name in ("politique", "international", "economie")),
    sitemaps=("https://www.lemonde.fr/sitemap_news.xml", "https://www.lemonde.fr/sitemap_index.xml"),
    period_of=ADDRESSES.period_of,
)
