"""Media Indonesia, Indonesia: its own system, with AMP's parts in the pages.

* An article is ``/<section>/<number>/<slug>``; the number is its identity.
* JSON-LD names the editor as the author; the reporter stands under the headline.
* A full-screen advert, an invitation to other channels, links to other articles and the editor stand in the text.
"""

from __future__ import annotations

import re

from archive.article import Link
from archive.elements import boxes, found, links, text_of
from archive.rules import PageRules, PageView, Publisher
from crawler.patterns import Addresses
from crawler.publication import Publication

HOSTS = ("mediaindonesia.com", "m.mediaindonesia.com")
ADDRESSES = Addresses(
    article=re.compile(r"^/(?:[a-z-]+/)?[a-z-]+/(?P<id>\d+)/[^/]+/?$"),
    section=re.compile(r"^/(?:tag/)?[a-z-]+/?$"),
    never=re.compile(r"^/(?:search|author|redaksi|pedoman|indeks/)"),
)
ALSO = ".//*[contains(@class, 'article')]//*[contains(@class, 'baca-juga')]"


def authors(view: PageView) -> list[str]:
    """Return those under the headline, parted by slashes or commas."""
    lines = found(view.article, ".//*[contains(@class, 'author-2')]")
    names = [name.strip() for line in lines for name in re.split(r"[/,]|\s(?:dan|&)\s", text_of(line))]
    return [name for name in dict.fromkeys(names) if name]


def related(view: PageView) -> list[Link]:
    """Return the articles that lines in the text lead to."""
    return links(found(view.article, f"{ALSO}//a[@href]"), view.base)


PUBLISHER = Publisher(
    name="Media Indonesia",
    hosts=HOSTS,
    languages=("id",),
    rules=(
        PageRules(
            name="media_indonesia/2020",
            publisher="Media Indonesia",
            hosts=HOSTS,
            article_id=ADDRESSES.article_id,
            authors=authors,
            related=related,
            body=boxes("article"),
            drop=boxes("flying-carpet", "ext-channel", "info-author", "_ap_apex_ad", "baca-juga"),
        ),
    ),
)
PUBLICATION = Publication(
    publisher=PUBLISHER,
    hosts=HOSTS,
    kind_of=ADDRESSES.kind_of,
    home=("https://mediaindonesia.com/",),
    sitemaps=("https://mediaindonesia.com/sitemap.xml",),
    sections=tuple(f"https://mediaindonesia.com/{name}" for name in ("politik-dan-hukum", "ekonomi", "internasional")),
)
