"""The task of the workers that follow pages: from a document's bytes to the leads that were not told before.

It runs in their processes, which load no Scrapy (:mod:`crawler.follower` gives it to them).
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from archive.examine import examine
from crawler.blocks import OF_THE_HOST, wall_of
from crawler.discovery import read
from crawler.frontier import Page
from crawler.leads import Bounds, Followed, Leads
from crawler.publication import load
from crawler.told import Told

EXTRACTED = frozenset({"article", "page"})  # kinds of pages whose walls are kept as articles are, to be known by


def follow(
    payload: bytes,
    *,
    url: str,
    content_type: str | None,
    content_encoding: str | None,
    page: Page,
    spider: str,
    arguments: Mapping[str, str],
    bounds: Bounds,
    telling: int = 0,
    status: int = 200,
) -> Followed:
    """Return what a fetched document leads to: the task of the workers. *spider* is a dotted module name.

    A document that came with an error leads nowhere, and is looked at only for being a wall; so is a page of little
    text that is none of an article by its own data.

    A lead that this process gave before is left out, as long as *telling* is the same: what the pages of a site have in
    common is most of what they lead to.

    Strangers' bytes are parsed: it may raise anything, and take any time and memory.
    """
    answer: dict[str, Any] = {"content_type": content_type, "content_encoding": content_encoding, "status": status}
    if status >= 400:
        return Followed("page", wall=wall_of(payload, **answer))
    leads, told = _of_crawl(spider, tuple(sorted(arguments.items())), bounds, telling)
    document: dict[str, Any] = {"url": url, "content_type": content_type, "content_encoding": content_encoding}
    if page.kind == "requisite":
        # A style sheet has its own, and so has a frame, whose links are not the publication's.
        examined = examine(payload, **document, captured_at=datetime.now(UTC), want_article=False, want_requisites=True)
        followed = Followed("other", leads.needed(examined, page), problem=examined.problem)
    else:
        wall = None
        # Which links are paging is asked only where they may lead to what is too old.
        reading = read(payload, **document, paging=bounds.since is not None)
        if reading.form == "page" and not reading.article:
            wall = wall_of(payload, **answer, prose=reading.prose)
            if wall is not None and wall.kind in OF_THE_HOST:
                return Followed("page", wall=wall, extract=page.kind in EXTRACTED)
        followed = leads.follow(reading, page, told)._replace(wall=wall)
    # What is listed must be known to be noted as that: it may have been given with a page that is not finished yet.
    listed = {item.key for item in followed.listed}
    return followed._replace(leads=[lead for lead in followed.leads if told.first(lead) or lead.key in listed])


class Listed(NamedTuple):
    """What one sitemap lists. *whole*: it is one, could be read to its end, and is no window on what is new."""

    urls: list[str]
    whole: bool


def listed(payload: bytes, *, url: str, content_type: str | None, content_encoding: str | None) -> Listed:
    """Return what a sitemap lists: a task of the workers, for strangers' bytes are parsed."""
    reading = read(payload, url=url, content_type=content_type, content_encoding=content_encoding)
    urls = [link.url for link in reading.links]
    news = sum(link.published is not None for link in reading.links)
    return Listed(urls, reading.form == "sitemap" and reading.problem is None and bool(urls) and 2 * news < len(urls))


def prepare(spiders: Sequence[str]) -> None:
    """Load *spiders*, and the parsers of pages, feeds and sitemaps: :func:`follow` needs no more."""
    for spider in spiders:
        importlib.import_module(spider)
    for document in (b"<html><p><a href=/>A link</a></html>", b"<rss><channel></channel></rss>", b"<urlset></urlset>"):
        read(document, url="https://news.invalid/", content_type=None, content_encoding=None)


@functools.lru_cache(maxsize=1)
def _of_crawl(
    spider: str,
    arguments: tuple[tuple[str, str], ...],
    bounds: Bounds,
    telling: int,  # noqa: ARG001 - another number, another memory
) -> tuple[Leads, Told]:
    return Leads(load(spider, dict(arguments)), bounds), Told()
