"""The Washington Post, United States: Arc, its own content system (the data call it "Fusion"), on Next.js.

* An article is ``/<section>/YYYY/MM/DD/<slug>/``; older ones end in ``_story.html`` after an identifier.
* Class names are made anew with every release; the parts of a page are told by ``data-qa``. Each paragraph stands in an
  ``article-body`` of its own, and so do adverts, links to other articles and invitations to newsletters.
"""

from __future__ import annotations

import re

from archive.article import Link
from archive.elements import found, links, paths
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("washingtonpost.com",)
ADDRESSES = Addresses(
    article=re.compile(r"/(?P<year>\d{4})/(?P<month>\d{2})/(?P<day>\d{2})/(?:[^/]+|[^/]+/[^/]*_story\.html)/?$"),
    section=re.compile(r"^/[a-z-]+(?:/[a-z-]+)?/?$"),
    never=re.compile(r"^/(?:subscribe|profile|newsletters|search|discussions)(?:/|$)"),
)
ELSEWHERE = ".//*[@data-qa='interstitial' or @data-qa='interstitial-link' or @data-testid='interstitial']"


def related(view: PageView) -> list[Link]:
    """Return the articles that links between the paragraphs lead to."""
    return links(found(view.article, f"{ELSEWHERE}//a[@href]"), view.base)


PUBLISHER = Publisher(
    name="The Washington Post",
    hosts=HOSTS,
    languages=("en",),
    rules=(
        PageRules(
            name="washington_post/2021",
            publisher="The Washington Post",
            hosts=HOSTS,
            related=related,
            body=paths(".//*[@data-qa='article-body']"),
            drop=paths(
                ELSEWHERE,
                ".//*[@data-qa='article-body-ad' or @data-qa='newsletter' or @data-testid='twitter']",
            ),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://www.washingtonpost.com/",),
    feeds=("https://feeds.washingtonpost.com/rss/world", "https://feeds.washingtonpost.com/rss/national"),
    sitemaps=("https://www.washingtonpost.com/sitemaps/news-sitemap.xml.gz",),
    period_of=ADDRESSES.period_of,
)
