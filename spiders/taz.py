"""taz, die tageszeitung, Germany: its own system, redesigned in 2024.

* An article is ``/<Title>/!<number>/``; the number is its identity, the words before it are the headline's first part.
* The appeal to support the newspaper follows the text, in the same element until 2024.
* A headline is two parts, the first printed small; the two are parted by a colon that is not shown.
* Since 2024 the first letter of an opinion is an element of its own, with blanks around it that are not shown.
"""

from __future__ import annotations

import re
from copy import deepcopy

from lxml.html import HtmlElement

from archive.elements import boxes, classed, found, paths, pictures, texts, texts_at
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("taz.de",)
ADDRESSES = Addresses(
    article=re.compile(r"/!(?P<id>\d{5,})/?$"),
    section=re.compile(r"/!p\d+/?$|/!t\d+/?$"),
    never=re.compile(r"/!(?:a|s|v|ku)[\d=]|^/(?:Abo|Info|digiabo|zahl-ich)(?:[/-]|$)"),
)
TEXT, OLD_TEXT, INITIAL = "main-article-corpus", "sectbody", "initial-letter-outer"


def is_old(view: PageView) -> bool:
    """Tell whether a page is of the design before 2024."""
    return bool(classed(view.root, OLD_TEXT)) and not classed(view.root, TEXT)


def title(view: PageView) -> str | None:
    """Return both parts of the headline, parted by a colon."""
    parts = texts(found(view.article, ".//article//h1[1]/span"))
    return ": ".join(part for part in parts if part.strip(" :")) or None


def body(view: PageView) -> list[HtmlElement]:
    """Return the line under the headline and the parts of the text."""
    lines = found(view.article, ".//article/p[contains(@class, 'subline')]")
    parts = found(view.article, f".//*[contains(@class, '{TEXT}')]/*/*")
    return [*lines, *map(_whole, parts)]


def _whole(part: HtmlElement) -> HtmlElement:
    """Return a paragraph without the blanks that the markup of a large first letter puts after it."""
    if not classed(part, INITIAL):
        return part
    copy = deepcopy(part)
    for element in copy.iter():
        if element is not copy and any(INITIAL in (near.get("class") or "") for near in (element, element.getparent())):
            element.text, element.tail = (element.text or "").strip(), (element.tail or "").strip()
    return copy


PUBLISHER = Publisher(
    name="taz",
    hosts=HOSTS,
    languages=("de",),
    rules=(
        PageRules(
            name="taz/2009",
            publisher="taz",
            hosts=HOSTS,
            recognises=is_old,
            article_id=ADDRESSES.article_id,
            body=paths(f".//article[@itemprop='articleBody' and contains(@class, '{OLD_TEXT}')]"),
            drop=paths(
                ".//article[contains(@class, 'sectbody')]//h1",
                ".//*[contains(@class, 'caption') or contains(@class, 'ad_bin')]",
                ".//*[contains(@class, 'rightbar') or contains(@class, 'tzi')]",
            ),
        ),
        PageRules(
            name="taz/2024",
            publisher="taz",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            authors=texts_at(".//article//*[contains(@class, 'author-pic-name-wrapper')]//a[contains(@href, '/!a')]"),
            title=title,
            images=pictures(".//article/*[@data-for='picture']", ".//figcaption"),
            body=body,
            drop=boxes("webelement-wrapper"),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://taz.de/",),
    feeds=("https://taz.de/rss.xml",),
    sitemaps=("https://taz.de/sitemap-google-news.xml", "https://taz.de/sitemap-index.xml"),
    sections=tuple(
        f"https://taz.de/{name}/!p{n}/" for name, n in (("Politik", 4615), ("Oeko", 4610), ("Kultur", 4639))
    ),
)
