"""LBC Group, Lebanon: Arabic and English, on ASP.NET.

* An article is ``/news/<section>/<number>/<slug>/<language>``; the number is its identity.
* The text is one element whose paragraphs are parted by runs of line breaks, with empty elements of adverts among them.
* Keywords are the same on every page; the topics are links under the text. The article before and the one after it
  stand in the same element as the text.
"""

from __future__ import annotations

import re

from archive.article import Link
from archive.elements import boxes, found, text_of, texts_at
from archive.references import resolve
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("lbcgroup.tv",)
ADDRESSES = Addresses(
    article=re.compile(r"^/news/[^/]+/(?P<id>\d+)/"),
    section=re.compile(r"^/(?:news|category|latest-news)(?:/[^/]+)*/(?:ar|en)/?$"),
    never=re.compile(r"^/(?:live|schedule|search|login|register)"),
)


def related(view: PageView) -> list[Link]:
    """Return the articles before and after this one."""
    titled = []
    for part in found(view.article, ".//*[contains(@class, 'prev_next_text')]/.."):
        anchors = part.xpath(".//a[@href]")
        url = resolve(view.base, anchors[0].get("href")) if anchors else None
        title = text_of(part.find(".//*[@class='prev_next_text']"))
        if url and title:
            titled.append(Link(url, title))
    return titled


def section(view: PageView) -> str | None:
    """Return the section as the crumb over the headline names it."""
    shown = found(view.article, ".//*[contains(@class, 'article_details_category')]")
    return text_of(shown[0]) or None if shown else None


PUBLISHER = Publisher(
    name="LBC Group",
    hosts=HOSTS,
    languages=("ar", "en"),
    rules=(
        PageRules(
            name="lbc_group/2023",
            publisher="LBC Group",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            section=section,
            tags=texts_at(".//*[contains(@class, 'article_details_tags')]//h3"),
            related=related,
            body=boxes("LongDesc"),
            drop=boxes("my-gallery", "DimgContainer"),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://www.lbcgroup.tv/news/ar", "https://www.lbcgroup.tv/news/en"),
    feeds=tuple(f"https://www.lbcgroup.tv/Rss/{name}" for name in ("latest-news/ar", "latest-news/en")),
    sitemaps=("https://www.lbcgroup.tv/newssitemap.xml",),
)
