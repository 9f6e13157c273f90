"""Associated Press, United States: English and Spanish, on Brightspot since the summer of 2023.

* An article is ``/article/<slug>-<32 hexadecimal digits>``; the digits are its identity, older addresses have no slug.
* Its keywords mix topics with the wires a story went out on ("NE State Wire", "General news") and the address's slug.
* Boxes of related coverage, fact boxes and embeds stand inside the text.
"""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from archive.article import Link
from archive.elements import classed, found, links, text_of
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("apnews.com",)
ADDRESSES = Addresses(
    article=re.compile(r"^/(?:article/(?:[^/]*-)?|[^/]*-)?(?P<id>[0-9a-f]{32})/?$|^/live/[^/]+$"),
    section=re.compile(r"^/(?:hub/)?[a-z-]+/?$"),
    never=re.compile(r"^/(?:search|account|sign-?in|newsletters|buynow)"),
)
NO_TOPIC = re.compile(
    r"\bWire$|^(?:General|Domestic|International|Washington|U\.S\.) news$|^AP Top|^[a-z]$", re.IGNORECASE
)


def tags(view: PageView) -> list[str]:
    """Return the topics among the keywords."""
    keywords = [word for item in view.data for word in _listed(item.get("keywords"))]
    named = [word for word in keywords if not NO_TOPIC.search(word)]
    slug = view.url.rpartition("/")[2].replace("-", " ")
    return list(dict.fromkeys(word for word in named if not (" " in word and slug.startswith(word))))


def drop(view: PageView) -> list[HtmlElement]:
    """Return the boxes in the text, and the rules of underscores that part it from notes."""
    rules = [line for line in found(view.article, ".//p") if text_of(line) and not text_of(line).strip("_ ")]
    return [*classed(view.article, "Infobox", "HTMLModuleEnhancement", "Advertisement", "FreeForm"), *rules]


def related(view: PageView) -> list[Link]:
    """Return what the boxes of related coverage lead to."""
    return links(found(view.article, ".//*[contains(@class, 'PageListEnhancement')]//h3//a[@href]"), view.base)


def _listed(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


PUBLISHER = Publisher(
    name="AP News",
    hosts=HOSTS,
    languages=("en", "es"),
    rules=(
        PageRules(
            name="ap_news/2023",
            publisher="AP News",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            tags=tags,
            related=related,
            drop=drop,
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://apnews.com/",),
    sitemaps=("https://apnews.com/news-sitemap-content.xml", "https://apnews.com/sitemap.xml"),
    sections=tuple(
        f"https://apnews.com/{name}" for name in ("us-news", "world-news", "politics", "business", "science")
    ),
)
