"""Коммерсантъ (Kommersant), Russia: its own system.

* An article is ``/doc/<number>``, once ``/doc.aspx?DocsID=<number>``; the number is its identity.
* Pictures stand in dialogs inside the text, with their captions twice; the authors sign in its last paragraph.
* JSON-LD names one author where the signature names several, and keywords are the words of the description.
"""

from __future__ import annotations

import re

from archive.elements import classed, text_of
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("kommersant.ru", "m.kommersant.ru")
ADDRESSES = Addresses(
    article=re.compile(r"^/(?:doc|gallery|amp)/(?P<id>\d+)/?$"),
    section=re.compile(r"^/(?:rubric|theme|regions|daily|weekly|money|archive)(?:/\d+)*(?:/news)?/?$"),
    never=re.compile(r"^/(?:search|lk|subscribe|ads|widgets)(?:[/.]|$)"),
)
DOCUMENT = re.compile(r"[?&]DocsI[dD]=(\d+)")


def article_id(url: str) -> str | None:
    """Return the number of an article, in its present or its former address."""
    former = DOCUMENT.search(url)
    return former[1] if former else ADDRESSES.article_id(url)


def authors(view: PageView) -> list[str]:
    """Return all who sign in the last paragraph, without places: a name has two words."""
    signed = [name for line in classed(view.article, "document_authors") for name in re.split(r"[,;]", text_of(line))]
    names = [name.strip() for name in signed]
    return list(dict.fromkeys(name for name in names if len(name.split()) > 1))


def page_kind(view: PageView) -> str | None:
    """Return "gallery" for a page of pictures: its captions are all its text."""
    return "gallery" if re.search(r"/gallery/\d+", view.url) else None


PUBLISHER = Publisher(
    name="Коммерсантъ",
    hosts=HOSTS,
    languages=("ru",),
    rules=(
        PageRules(
            name="kommersant/2020",
            publisher="Коммерсантъ",
            hosts=HOSTS,
            article_id=article_id,
            page_kind=page_kind,
            authors=authors,
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://www.kommersant.ru/",),
    feeds=("https://www.kommersant.ru/RSS/news.xml",),
    sitemaps=("https://www.kommersant.ru/sitemaps/sitemap_news.xml",),
    sections=tuple(f"https://www.kommersant.ru/rubric/{number}" for number in (2, 3, 4, 5, 6, 7)),
)
