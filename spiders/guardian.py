"""The Guardian, United Kingdom: its own system, with a page of its own making ("dotcom rendering") since 2020.

* The path of an article is its identity; it has the day with the month as a word: ``/world/2024/feb/24/<slug>``.
* Class names of the present pages are made anew with every release; the parts of a page are told by ``data-gu-name``.
* Cards that lead to other articles are figures in the text; before 2020 they are asides, "rich links".
* Under the text of older pages stand topics, share buttons and the appeal.
"""

from __future__ import annotations

import re

from archive.article import Link
from archive.elements import boxes, classed, found, links, meta, paths, pictures, texts_at
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("theguardian.com", "guardian.co.uk", "amp.theguardian.com")
ADDRESSES = Addresses(
    article=re.compile(
        r"^/(?P<id>[a-z-]+(?:/[a-z0-9-]+)*/(?P<year>\d{4})/(?P<month>[a-z]{3})/(?P<day>\d{2})/[^/]+)/?$"
    ),
    section=re.compile(r"^/(?:(?:uk|us|au|europe|international)(?:/[a-z-]+)?|[a-z-]+(?:/[a-z-]+)?(?:/all)?)/?$"),
    never=re.compile(r"^/(?:preference|email|info|help|crosswords|contribute)(?:/|$)|^/(?:sendarticle|discussion)"),
    feed=re.compile(r"/rss/?$"),
)
OLD_TEXT = "content__article-body"


def related(view: PageView) -> list[Link]:
    """Return the articles that cards in the text lead to."""
    return links(found(view.article, ".//figure[@data-spacefinder-role='richLink']//a[@href]"), view.base)


def is_old(view: PageView) -> bool:
    """Tell whether a page is of the system before 2020."""
    return bool(classed(view.root, OLD_TEXT))


def tags(view: PageView) -> list[str]:
    """Return the topics, which one meta element lists, without those that tell how the article was made."""
    listed = [tag.strip() for content in meta(view, "article:tag") for tag in content.split(",")]
    return [tag for tag in dict.fromkeys(listed) if tag and not tag.startswith(("type/", "tone/", "tracking/"))]


PUBLISHER = Publisher(
    name="The Guardian",
    hosts=HOSTS,
    languages=("en",),
    rules=(
        PageRules(
            name="guardian/2013",
            publisher="The Guardian",
            hosts=HOSTS,
            recognises=is_old,
            article_id=ADDRESSES.article_id,
            authors=texts_at(".//*[contains(@class, 'byline')]//*[@itemprop='name']"),
            body=boxes("content__standfirst", OLD_TEXT),
            drop=boxes("submeta", "contributions__epic", "element-rich-link", "meta__extras", "after-article"),
        ),
        PageRules(
            name="guardian/2020",
            publisher="The Guardian",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            tags=tags,
            images=pictures(
                ".//*[@data-gu-name='media' or @data-gu-name='body']//figure[.//img]", "./span | .//figcaption"
            ),
            related=related,
            body=paths(
                ".//*[@data-gu-name='standfirst']",
                ".//*[contains(@class, 'article-body-viewer-selector')]",
                ".//*[@id='liveblog-body']",
            ),
            drop=paths(".//*[@id='sign-in-gate' or @data-print-layout='hide' or @data-testid='pagination-live-blog']"),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://www.theguardian.com/international", "https://www.theguardian.com/uk"),
    feeds=tuple(
        f"https://www.theguardian.com/{name}/rss" for name in ("international", "world", "uk-news", "business")
    ),
    sitemaps=("https://www.theguardian.com/sitemaps/news.xml",),
    period_of=ADDRESSES.period_of,
)
