"""From a fetched document to what the crawl asks for next: which addresses belong to it, as what, and how soon."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

from archive.catalog.identity import normalised, untracked
from archive.examine import Examination
from archive.references import resolve
from archive.walls import Wall
from crawler import date_archives, traps
from crawler.date_archives import Pattern
from crawler.discovery import Form, Found, Reading
from crawler.frontier import Kind, Lead, Listed, Order, Page, Unread
from crawler.publication import AddressKind, Period, Publication, site_of
from crawler.told import Told

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
MAX_NESTED = 5  # style sheets and frames within another, and indexes of sitemaps
SEED_SECTION = 3  # a section's first page has what is new
FEED_ITEM = 9
MIN_PROSE = 500  # characters of paragraphs that make a page of unknown kind an article; teasers stay well below

KEPT_TARGETS = 20_000  # addresses whose targets are held, some 10 MB; menus and related articles repeat theirs


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one crawl leaves out: articles published before *since* or after *until*, links deeper than *depth*."""

    since: date | None = None
    until: date | None = None
    depth: int | None = None  # links from a seed
    order: Order | None = None  # in which the rest is asked for

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


class Followed(NamedTuple):
    """What one document leads to. *extract*: it holds an article. *shows*: what a listing is judged by.

    *listed* are the pages that a feed or sitemap lists; each is among its *leads*.
    """

    form: Form | Literal["unknown"]  # unknown: it could not be read
    leads: Sequence[Lead] = ()
    extract: bool = False
    shows: Sequence[str] = ()
    problem: str | None = None
    wall: Wall | None = None  # that the page is
    hubs: Sequence[str] = ()  # of a feed
    listed: Sequence[Listed] = ()


class _Target(NamedTuple):
    """What an address tells by itself, wherever it is found."""

    url: str  # as it is asked for
    key: str  # but of a requisite
    site: str
    owned: bool
    kind: AddressKind
    priority: int  # -1: never asked for
    period: Period | None
    trap: str | None


class Leads:
    """Makes leads for one crawl."""

    def __init__(self, publication: Publication, bounds: Bounds) -> None:
        self.publication, self.bounds = publication, bounds
        self._named: set[Pattern] = set()  # date archives
        self._target = functools.lru_cache(KEPT_TARGETS)(self._look_at)

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

    def _look_at(self, address: str) -> _Target:
        publication, url = self.publication, untracked(address)
        return _Target(
            url,
            normalised(url),
            site_of(url),
            publication.owns(url),
            kind := publication.kind(url),
            -1 if kind == "skip" else PRIORITY[kind],
            publication.period(url) or (date_archives.period_of(url) if kind == "section" else None),
            traps.pathological(url),
        )

    def lead(
        self,
        found: Found,
        *,
        via: str | None,
        depth: int,
        hops: str,
        kind: Kind | None = None,
        from_feed: bool = False,
    ) -> Lead | None:
        """Return the lead to what was *found*; None when it is no part of the publication.

        *kind* is given where it is known otherwise than by the address.
        """
        target = self._target(found.url)
        if not target.owned and kind not in ("feed", "sitemap", "requisite"):
            return None  # feeds and sitemaps may lie on other hosts (sitemaps.org: cross submission by robots.txt)
        if kind is None:
            if target.kind == "skip":
                return None
            kind = "article" if from_feed and target.kind == "page" else target.kind
        listing = kind in ("section", "page") and not from_feed  # or it may be one, and list what is newer than it is
        modified = None if listing and kind == "section" else found.modified
        period = target.period or _day(found.published)
        skip = target.trap
        if kind != "requisite":  # an article's picture may be older than it is
            skip = self.bounds.refuse(period, None if listing else _date(modified), depth) or skip
        is_news = from_feed and kind == "article" and self.bounds.order != "oldest"
        priority = FEED_ITEM if is_news else PRIORITY[kind]
        if kind == "requisite":  # who shows the page again asks for it to the letter
            key = url = found.url.partition("#")[0]
        else:
            key, url = target.key, target.url
        day = self._day_of(period, found) if self.bounds.order else None
        return Lead(key, url, target.site, kind, priority, depth, via, hops, modified, skip, day)

    def _day_of(self, period: Period | None, found: Found) -> str | None:
        """Return what a page is ordered by: its own day, or that on which it was last changed."""
        told = found.published or (None if period else found.modified)
        if told is not None and (at := _instant(told)) is not None:
            return at
        return period[1 if self.bounds.order == "newest" else 0].isoformat() if period else None

    def named(self, url: str) -> Lead | None:
        """Return the lead to *url*, which a file names that is no page; None when it is no part of the publication."""
        address = resolve(url, url)
        if address is None or not self.publication.owns(address):
            return None
        kind = self.publication.kind(untracked(address))
        return self.lead(Found(address), via=None, depth=1, hops="M", kind="article" if kind == "page" else None)

    def follow(self, reading: Reading, page: Page, told: Told | None = None) -> Followed:
        """Return what *reading*, of the document of *page*, leads to.

        Leads that were *told* before may be left out.
        """
        if reading.form == "page":
            return self._follow_page(reading, page, told)
        if reading.form == "other":
            return Followed("other", problem=reading.problem)
        if reading.form == "feed":
            leads = self._all(page, reading.links, from_feed=True)
            leads += self._all(page, self._near(page, map(Found, reading.feeds)), kind="feed")
        else:
            leads = self._all(page, reading.links)
            if page.hops.count("M") < MAX_NESTED:
                leads += self._all(page, self._near(page, reading.sitemaps), kind="sitemap", hop="M")
        shows = [lead.key for lead in leads if lead.kind not in ("feed", "sitemap")]
        published = {untracked(link.url): link.published for link in reading.links}
        listed = [Listed(lead.key, published.get(lead.url)) for lead in leads if lead.kind not in ("feed", "sitemap")]
        return Followed(reading.form, leads, shows=shows, problem=reading.problem, hubs=reading.hubs, listed=listed)

    def needed(self, examined: Examination, page: Page | Unread) -> list[Lead]:
        """Return what a page or style sheet needs to be shown again."""
        if page.hops.endswith("E" * MAX_NESTED):
            return []
        return self._all(page, (Found(item.url) for item in examined.requisites), kind="requisite", hop="E")

    def _follow_page(self, reading: Reading, page: Page, told: Told | None) -> Followed:
        extract = self._is_article(reading, page)
        feeds: Iterable[Found] = map(Found, reading.feeds)
        leads = self._all(page, feeds if page.kind == "home" else self._near(page, feeds), kind="feed")
        if extract and (address := self.publication.print_version(page.url)):
            printed = Found(address, modified=page.modified)  # it changes with its article
            leads += self._all(page, [printed], kind="print", hop="E")
        surely = extract and (reading.article or reading.prose >= MIN_PROSE)  # and not by its address alone
        links = self._all(page, self._news(reading.links, told) if surely and told else reading.links)
        links += self._all(page, map(Found, self._date_archives(reading.links)), kind="section")
        if reading.refresh:
            links += self._all(page, [Found(reading.refresh)], hop="R")
        shows = [page.url] if surely else self._shown(reading, page, links)
        if extract:
            return Followed("page", leads + links, extract=True, shows=shows, problem=reading.problem)
        articles = [lead for lead in links if lead.kind == "article"]
        if articles and all(self._is_too_old(lead) for lead in articles):
            # A listing of what is too old leads on to what is older still.
            paging = {untracked(link.url) for link in reading.links if link.paging}
            links = [lead for lead in links if lead.url not in paging]
        else:
            links += self._all(page, map(Found, self.publication.paging(page.url, len(articles))), kind="section")
        return Followed("page", leads + links, shows=shows, problem=reading.problem)

    def _date_archives(self, links: Iterable[Found]) -> list[str]:
        """Return the listings of all days that the crawl is about, where *links* show that the site has such pages."""
        since, until = self.bounds.since, self.bounds.until or datetime.now(UTC).date()
        if since is None:
            return []
        addresses: list[str] = []
        for link in links:
            target = self._target(link.url)
            pattern = date_archives.pattern_of(target.url) if target.owned and target.kind == "section" else None
            if pattern is not None and pattern not in self._named:
                self._named.add(pattern)
                addresses += pattern.between(since, until)
        return addresses

    def _shown(self, reading: Reading, page: Page, links: Iterable[Lead]) -> list[str]:
        """Return what a page that may be a listing shows, apart from pages of its own kind."""
        template = traps.template(page.url)
        shows = [
            lead.key for lead in links if lead.kind in ("article", "page") and traps.template(lead.url) != template
        ]
        if reading.prose and page.kind != "section":
            shows.append(f"{reading.words:08x}")  # it may be no listing at all, but a picture with its caption
        return shows

    def _near(self, page: Page, feeds: Iterable[Found]) -> Iterable[Found]:
        """Return those of *feeds*, or of sitemaps, that are the publication's, or on the site of *page*.

        Others, as of a service that makes feeds, are asked for where a front page or robots.txt names them: an index of
        thousands would have us ask at thousands of sites.
        """
        for feed in feeds:
            target = self._target(feed.url)
            if target.owned or target.site == page.site:
                yield feed

    def _news(self, links: Iterable[Found], told: Told) -> Iterable[Found]:
        """Return *links* without those that were told before: of most pages that is nearly all there is."""
        for link in links:
            target = self._target(link.url)
            if link.modified is not None or not told.knows(target.key, target.priority):
                yield link

    def _is_too_old(self, lead: Lead) -> bool:
        period = self._target(lead.url).period
        return self.bounds.since is not None and period is not None and period[1] < self.bounds.since

    def _is_article(self, reading: Reading, page: Page) -> bool:
        if page.kind in ("home", "print"):
            return False
        told = self.publication.kind(page.url)
        return reading.article or told == "article" or (told == "page" and reading.prose >= MIN_PROSE)

    def _all(
        self,
        page: Page | Unread,
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
        told = Told()
        return [lead for lead in found if lead is not None and told.first(lead)]


def key_of(url: str, kind: Kind) -> str:
    """Return what makes two addresses one page of the crawl: a requisite must be asked for to the letter."""
    return url if kind == "requisite" else normalised(url)


def _date(text: str | None) -> date | None:
    try:
        return datetime.fromisoformat(text).date() if text else None
    except ValueError:
        return None


def _instant(text: str) -> str | None:
    """Return a day or time as a text that sorts: of times the one in UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if "T" not in text:
        return at.date().isoformat()
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _day(text: str | None) -> Period | None:
    day = _date(text)
    return (day, day) if day else None
