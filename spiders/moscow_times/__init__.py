"""The Moscow Times: what is known about its pages, English and Russian, from 1994 on.

Source: the site's own open templates (github.com/themoscowtimes/themoscowtimes) and its pages.

* An article is ``/YYYY/MM/DD/slug-aNNNNN``. The number is its identity: slug, title and date are edited under it.
  ``…/pdf`` beside it is the print version; ``/all/NNNNN`` the bare article that endless scrolling appends to another
  article's page, so a saved page may hold several. Older articles are at ``/archive/<slug>``; older still
  ``/…/article/<slug>/<number>.html`` and ``/news|articles|photogalleries/<slug>-<number>``, in windows-1251.
* ``/plus/<campaign>/<slug>`` is content of others, in the same markup.
* JSON-LD and meta elements name only the first author and only ever the sections "news" and "ukraine_war"; the byline
  has all authors, the breadcrumbs the section. The time shown is that of the update once there was one.
* The appeal for donations changes its words and its class names every year and stands beside or inside the text;
  what stays is where it leads.

    addresses   what an address is, the article it shows, its print version, where listings go on
    pages       pages of articles
    appeal      the appeal for donations among the paragraphs
    printed     print versions
    legacy      pages of the system before
"""

from __future__ import annotations

from datetime import date
from typing import Any

from archive.rules import PageRules, Publisher
from crawler.publication import ArgumentError, Publication
from spiders.moscow_times import addresses, legacy, pages, printed
from spiders.moscow_times.addresses import ENGLISH, RUSSIAN

WEB = "https://{}.themoscowtimes.com"
STATIC = WEB.format("static")
EDITIONS = {"en": WEB.format("www"), "ru": WEB.format("ru")}


def _rules(module: str, publisher: str, hosts: tuple[str, ...]) -> tuple[PageRules, ...]:
    shared: dict[str, Any] = {
        "publisher": publisher,
        "hosts": hosts,
        "article_id": addresses.article_id,
        "print_version": addresses.print_version,
    }
    return (
        PageRules(
            name=f"{module}/print",
            recognises=printed.is_print,
            authors=pages.authors,
            published=printed.published,
            language=printed.language,
            canonical_url=printed.canonical_url,
            drop=printed.drop,
            **shared,
        ),
        PageRules(
            name=f"{module}/2016",
            own_article=pages.own_article,
            page_kind=pages.page_kind,
            title=pages.title,
            authors=pages.authors,
            published=pages.published,
            modified=pages.modified,
            section=pages.section,
            tags=pages.tags,
            canonical_url=pages.canonical_url,
            images=pages.images,
            body=pages.body,
            drop=pages.drop,
            **shared,
        ),
    )


LEGACY = PageRules(
    name="moscow_times/1994",
    publisher="The Moscow Times",
    hosts=(*ENGLISH, "moscowtimes.ru"),
    valid_to=date(2019, 12, 31),
    recognises=legacy.recognises,
    article_id=legacy.article_id,
    authors=legacy.authors,
    body=legacy.body,
    drop=legacy.drop,
)
PUBLISHER = Publisher(
    name="The Moscow Times",
    hosts=(*ENGLISH, *RUSSIAN),
    languages=("en", "ru"),
    rules=(
        LEGACY,
        *_rules("moscow_times", "The Moscow Times", ENGLISH),
        *_rules("moscow_times_ru", "Русская служба The Moscow Times", RUSSIAN),
    ),
)


def publication(edition: str = "en", **unknown: str) -> Publication:
    """Return the publication in the editions named: ``en``, ``ru``, or ``en ru`` for both."""
    chosen = edition.split()
    wrong = [name for name in chosen if name not in EDITIONS]
    if unknown or wrong or not chosen:
        raise ArgumentError("spider moscow_times takes edition=en, edition=ru or edition='en ru', and nothing else")
    webs = [EDITIONS[name] for name in chosen]
    hosts = {"en": ENGLISH, "ru": RUSSIAN}
    feeds = (*(f"rss/{name}" for name in addresses.FEEDS), "feeds/partner.xml")
    return Publication(
        publisher=PUBLISHER,
        hosts=tuple(host for name in chosen for host in hosts[name]),
        kind_of=addresses.kind_of,
        home=tuple(f"{web}/" for web in webs),
        feeds=tuple(f"{web}/{path}" for web in webs for path in feeds),
        # The English edition's are unlisted; the Russian edition's own are named by its robots.txt, if by anything.
        sitemaps=tuple(f"{STATIC}/sitemap/{name}.xml" for name in ("newsmap", "sitemap") if "en" in chosen),
        sections=tuple(f"{web}/{name}" for web in webs for name in (*addresses.SECTIONS, *addresses.LISTS)),
        guesses=("/sitemap.xml",),
        paging=addresses.paging,
        period_of=addresses.period_of,
    )
