"""From a fetched document to what the crawl asks for next: which addresses belong to it, as what, and how soon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from archive.catalog.identity import normalised, untracked
from crawler import traps
from crawler.discovery import Form, Found, Reading, read
from crawler.frontier import Kind, Lead, Page
from crawler.publication import Period, Publication, load, site_of

# The lowest first: what tells most of the newest articles, then they, then what may lead to older ones.
PRIORITY: dict[Kind, int] = {
    "home": 0,
    "feed": 1,
    "sitemap": 2,
    "print": 8,  # a page is complete before the next is begun
    "requisite": 8,
    "article": 10,
    "section": 20,
    "page": 25,
}
SEED_SECTION = 3  # a section's first page has what is new
FEED_ITEM = 9
MIN_PROSE = 500  # characters of paragraphs that make a page of unknown kind an article; teasers stay well below


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one crawl leaves out: articles published before *since* or after *until*, links deeper than *depth*."""

    since: date | None = None
    until: date | None = None
    depth: int | None = None  # links from a seed

    def refuse(self, period: Period | None, modified: date | None, depth: int) -> str | None:
        """Return why a page is left out; None when it is not, or when nothing is known against it.

        The same words for all pages, so that they are counted together.
        """
        if self.depth is not None and depth > self.depth:
            return f"more than {self.depth} links from the start"
        if period:
            first, last = period
            if self.since and last < self.since:
                return f"published before --since {self.since}"
            if self.until and first > self.until:
                return f"published after --until {self.until}"
        elif self.since and modified and modified < self.since:
            return f"last changed before --since {self.since}"
        return None


@dataclass(slots=True)
class Followed:
    """What one document leads to. *extract*: it holds an article. *shows*: the keys by which a listing is judged."""

    form: Form | Literal["unread"]  # unread: what it is was not found out
    leads: list[Lead] = field(default_factory=list)
    extract: bool = False
    template: str | None = None  # of a listing
    shows: list[str] = field(default_factory=list)
    problem: str | None = None


class Leads:
    """Makes leads for one crawl."""

    def __init__(self, publication: Publication, bounds: Bounds) -> None:
        self.publication, self.bounds = publication, bounds

    def seeds(self) -> list[Lead]:
        """Return where the crawl begins."""
        publication = self.publication
        seeds = [self.seed(url, "home") for url in publication.home]
        seeds += [self.seed(url, "feed") for url in publication.feeds]
        seeds += [self.seed(url, "sitemap") for url in publication.sitemaps]
        seeds += [self.seed(url, "section", SEED_SECTION) for url in publication.sections]
        return seeds

    def seed(self, url: str, kind: Kind, priority: int | None = None) -> Lead:
        priority = PRIORITY[kind] if priority is None else priority
        return Lead(key_of(url, kind), url, site_of(url), kind, priority)

    def lead(
        self,
        found: Found,
        *,
        via: str,
        depth: int,
        hops: str,
        kind: Kind | None = None,
        from_feed: bool = False,
    ) -> Lead | None:
        """Return the lead to what was *found*; None when it is no part of the publication.

        *kind* is given where it is known otherwise than by the address.
        """
        url = untracked(found.url)
        if kind not in ("feed", "sitemap", "requisite") and not self.publication.owns(url):
            return None  # feeds and sitemaps may lie on other hosts (sitemaps.org: cross submission by robots.txt)
        if kind is None:
            told = self.publication.kind_of(url)
            if told == "skip":
                return None
            kind = "article" if from_feed and told == "page" else told
        modified = found.modified if kind not in ("section", "page") or from_feed else None
        period = self.publication.period_of(url) or _day(found.published)
        skip = self.bounds.refuse(period, _date(modified), depth) or traps.pathological(url)
        priority = FEED_ITEM if from_feed and kind == "article" else PRIORITY[kind]
        return Lead(key_of(url, kind), url, site_of(url), kind, priority, depth, via, hops, modified, skip)

    def follow(self, reading: Reading, page: Page) -> Followed:
        """Return what *reading*, of the document of *page*, leads to."""
        followed = Followed(reading.form, problem=reading.problem)
        if reading.form == "feed":
            followed.leads = self._all(page, reading.links, from_feed=True)
            followed.leads += self._all(page, map(Found, reading.feeds), kind="feed")
        elif reading.form in ("sitemap", "sitemap-index"):
            followed.leads = self._all(page, reading.links)
            followed.leads += self._all(page, reading.sitemaps, kind="sitemap")
        elif reading.form == "page":
            self._follow_page(reading, page, followed)
        return followed

    def _follow_page(self, reading: Reading, page: Page, followed: Followed) -> None:
        followed.extract = self._is_article(reading, page)
        leads = self._all(page, reading.links)
        if reading.refresh:
            leads += self._all(page, [Found(reading.refresh)], hop="R")
        followed.leads = self._all(page, map(Found, reading.feeds), kind="feed")
        if followed.extract:
            if address := self.publication.print_version(page.url):
                printed = Found(address, modified=page.modified)  # it changes with its article
                followed.leads += self._all(page, [printed], kind="print", hop="E")
            followed.leads += leads
            return
        followed.template = traps.template(page.url)
        followed.shows = [
            lead.key
            for lead in leads
            if lead.kind in ("article", "page") and traps.template(lead.url) != followed.template
        ]
        articles = [lead for lead in leads if lead.kind == "article"]
        if self.bounds.since and articles and all(lead.skip for lead in articles):
            # A listing of what is too old leads on to what is older still.
            paging = {untracked(link.url) for link in reading.links if link.paging}
            leads = [lead for lead in leads if lead.url not in paging]
        else:
            leads += self._all(page, map(Found, self.publication.paging(page.url, len(articles))), kind="section")
        followed.leads += leads

    def _is_article(self, reading: Reading, page: Page) -> bool:
        if page.kind in ("home", "print"):
            return False
        told = self.publication.kind_of(page.url)
        return reading.article or told == "article" or (told == "page" and reading.prose >= MIN_PROSE)

    def _all(
        self,
        page: Page,
        links: Iterable[Found],
        *,
        kind: Kind | None = None,
        hop: str = "L",
        from_feed: bool = False,
    ) -> list[Lead]:
        found = (
            self.lead(link, via=page.url, depth=page.depth + 1, hops=page.hops + hop, kind=kind, from_feed=from_feed)
            for link in links
        )
        return list({lead.key: lead for lead in found if lead is not None}.values())


def key_of(url: str, kind: Kind) -> str:
    """Return what makes two addresses one page of the crawl: a requisite must be asked for to the letter."""
    return url if kind == "requisite" else normalised(url)


def follow(
    payload: bytes,
    *,
    url: str,
    content_type: str | None,
    content_encoding: str | None,
    page: Page,
    spider: str,
    arguments: dict[str, str],
    bounds: Bounds,
) -> Followed:
    """Return what a fetched document leads to: the task of the workers. *spider* is a dotted module name.

    Strangers' bytes are parsed: it may raise anything, and take any time and memory.
    """
    reading = read(payload, url=url, content_type=content_type, content_encoding=content_encoding)
    return Leads(load(spider, arguments), bounds).follow(reading, page)


def _date(text: str | None) -> date | None:
    try:
        return datetime.fromisoformat(text).date() if text else None
    except ValueError:
        return None


def _day(text: str | None) -> Period | None:
    day = _date(text)
    return (day, day) if day else None
