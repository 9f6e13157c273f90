"""VnExpress, Vietnam: its own system.

* An article is ``/<slug>-<number>.html``; the number is its identity.
* JSON-LD and meta elements name the newspaper as the author; whoever wrote it signs in bold at the end of the text, to
  the right.
* The data carry one topic of several: ``news_keywords`` has them all. The section is the first crumb over the headline.
"""

from __future__ import annotations

import re

from archive.elements import found, meta, paths, pictures, text_of
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("vnexpress.net",)
ADDRESSES = Addresses(
    article=re.compile(r"^/(?:[^/]+/)?[^/]+-(?P<id>\d{7})\.html$"),
    section=re.compile(r"^/[a-z-]+(?:/[a-z-]+)?(?:-p\d+)?/?$"),
    never=re.compile(r"^/(?:tag|tim-kiem|topic|author|video)(?:[/-]|$)"),
)
SIGNATURE = ".//*[contains(@class, 'fck_detail')]//p[contains(@style, 'right') or contains(@class, 'author')]"


def tags(view: PageView) -> list[str]:
    """Return the keywords."""
    return [word for content in meta(view, "news_keywords") for word in map(str.strip, content.split(",")) if word]


def authors(view: PageView) -> list[str]:
    """Return those who sign at the end: one name or several, parted by dashes or commas."""
    lines = [text_of(line) for line in found(view.article, f"{SIGNATURE}//strong")]
    signed = [name for line in lines for name in re.split(r"[,–-]", line)]  # noqa: RUF001 - as they are printed
    return [name for name in dict.fromkeys(map(str.strip, signed)) if name and not name.startswith("(")]


def section(view: PageView) -> str | None:
    """Return the first crumb."""
    crumbs = found(view.article, ".//ul[contains(@class, 'breadcrumb')]//a")
    return text_of(crumbs[0]) or None if crumbs else None


PUBLISHER = Publisher(
    name="VnExpress",
    hosts=HOSTS,
    languages=("vi",),
    rules=(
        PageRules(
            name="vnexpress/2018",
            publisher="VnExpress",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            authors=authors,
            section=section,
            tags=tags,
            images=pictures(".//figure[contains(@class, 'tplCaption')]", ".//figcaption"),
            body=paths(".//p[contains(@class, 'description')]", ".//*[contains(@class, 'fck_detail')]"),
            drop=paths(SIGNATURE, ".//*[contains(@class, 'location-stamp') or contains(@class, 'box_brief_info')]"),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://vnexpress.net/",),
    feeds=tuple(
        f"https://vnexpress.net/rss/{name}.rss" for name in ("tin-moi-nhat", "thoi-su", "the-gioi", "kinh-doanh")
    ),
    sections=tuple(f"https://vnexpress.net/{name}" for name in ("thoi-su", "the-gioi", "kinh-doanh", "suc-khoe")),
)
