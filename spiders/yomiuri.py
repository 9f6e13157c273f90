"""読売新聞オンライン (Yomiuri Shimbun), Japan: WordPress, under a theme of its own.

* An article is ``/<section>/YYYYMMDD-<desk><number>/``; the last part is its identity.
* Every paragraph is marked ``par<n>``; readings stand over rare characters (``ruby``), in brackets after them in text.
* Related articles stand in the text, buttons that lead to other services under it; topics are links with a "#".
* The data name the newspaper as the author; a reporter abroad is named in the first paragraph, with the place.
"""

from __future__ import annotations

import re

from archive.elements import boxes, found, text_of
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("yomiuri.co.jp",)
ADDRESSES = Addresses(
    article=re.compile(r"/(?P<id>(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})-[A-Z]{3}\w+)/?$"),
    section=re.compile(r"^/[a-z-]+(?:/[a-z-]+)?/?$"),
    never=re.compile(r"^/(?:member|help|policy|web-notice|keyword)(?:/|$)"),
)


def tags(view: PageView) -> list[str]:
    """Return the topics under the text, without their sign."""
    shown = [text_of(anchor) for anchor in found(view.article, ".//*[contains(@class, 'p-related-tags__list')]//a")]
    return [tag for tag in (text.lstrip("#＃") for text in shown) if tag]  # noqa: RUF001 - both are printed


PUBLISHER = Publisher(
    name="読売新聞オンライン",
    hosts=HOSTS,
    languages=("ja",),
    rules=(
        PageRules(
            name="yomiuri/2019",
            publisher="読売新聞オンライン",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            tags=tags,
            body=boxes("p-main-contents"),
            drop=boxes("c-square-arrow-btn", "p-ad-dfp-premiumrec"),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://www.yomiuri.co.jp/",),
    sitemaps=("https://www.yomiuri.co.jp/sitemap-news-latest.xml", "https://www.yomiuri.co.jp/sitemap.xml"),
    sections=tuple(f"https://www.yomiuri.co.jp/{name}/" for name in ("national", "politics", "economy", "world")),
    period_of=ADDRESSES.period_of,
)
