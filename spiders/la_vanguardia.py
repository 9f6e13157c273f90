"""La Vanguardia, Spain: its own system, redesigned in 2025.

* An article is ``/<section>/YYYYMMDD/<number>/<slug>.html``; the number is its identity.
* Keywords and ``article:tag`` are the words of the slug; the topics are links under the text.
* Boxes of facts, quotations and related articles stand in the text; the lines under the headline are a summary of it.
"""

from __future__ import annotations

import re

from archive.article import Link
from archive.elements import boxes, classed, found, links, paths, texts_at
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("lavanguardia.com",)
ADDRESSES = Addresses(
    article=re.compile(r"/(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})/(?P<id>\d+)/[^/]+\.html$"),
    section=re.compile(r"^/[a-z-]+(?:/[a-z-]+)?/?$"),
    never=re.compile(r"^/(?:suscripcion|registro|hemeroteca|buscador|encatala)(?:/|$)"),
    sitemap=re.compile(r"/sitemap-noticias-(?P<year>\d{4})(?P<month>\d{2})|/sitemap"),
)
OLD_TEXT = "article-modules"
RELATED = ".//*[contains(@class, 'related_item') or contains(@class, 'content-related')]//a[@href]"


def is_old(view: PageView) -> bool:
    """Tell whether a page is of the design before 2025."""
    return bool(classed(view.root, OLD_TEXT))


def related(view: PageView) -> list[Link]:
    """Return the articles that boxes in the text lead to."""
    return links(found(view.article, RELATED), view.base)


PUBLISHER = Publisher(
    name="La Vanguardia",
    hosts=HOSTS,
    languages=("es", "ca"),
    rules=(
        PageRules(
            name="la_vanguardia/2020",
            publisher="La Vanguardia",
            hosts=HOSTS,
            recognises=is_old,
            article_id=ADDRESSES.article_id,
            tags=texts_at(".//*[contains(@class, 'tag-name')]"),
            related=related,
            drop=boxes("content-ad-module", "content-related", "content-newsletter"),
        ),
        PageRules(
            name="la_vanguardia/2025",
            publisher="La Vanguardia",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            tags=texts_at(".//a[contains(@class, 'tag-name')]"),
            related=related,
            body=boxes("subtitles", "article_story"),
            drop=paths(
                ".//*[contains(@class, 'content_component')][contains(@class, 'information')"
                " or contains(@class, 'tags') or contains(@class, 'related')"
                " or contains(@class, 'quote') or contains(@class, 'newsletter') or contains(@class, 'signature')]",
                ".//*[contains(@class, 'highlight')]/h2",
                ".//*[contains(@class, 'content_ad') or contains(@class, 'caption')]",
            ),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://www.lavanguardia.com/",),
    feeds=("https://www.lavanguardia.com/rss/home.xml", "https://www.lavanguardia.com/rss/internacional.xml"),
    sitemaps=("https://www.lavanguardia.com/sitemap-google-news.xml",),
    period_of=ADDRESSES.period_of,
)
