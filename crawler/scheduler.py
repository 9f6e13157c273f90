"""Scrapy's scheduler over the frontier: what is asked for next, and when.

Neither does the engine take requests here, nor do callbacks give any: each page is attended to by one coroutine of the
spider, from its request to what it leads to, which ends by saying so in one step, :meth:`FrontierScheduler.finish`. The
next page begins then, in the order of priority, one site beside the other, each as :mod:`crawler.politeness` lets it be
asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.utils.defer import deferred_from_coro
from twisted.internet.defer import Deferred

from archive.capture import iso, parse_iso
from archive.errors import ArchiveError
from crawler import config, traps
from crawler.committing import Committer
from crawler.engine import EngineSlot
from crawler.extractor import Extractor
from crawler.frontier import Added, Done, Frontier, Kind, Lead, Outcome, Page, Reason, Unread
from crawler.leads import PRIORITY
from crawler.politeness import Politeness
from crawler.session import session_of

if TYPE_CHECKING:
    from crawler.spider import PublicationSpider

log = logging.getLogger(__name__)
T = TypeVar("T")

BUFFERED = 100  # pages of a site that are read from the frontier at a time
HELD_BYTES = 16 << 20  # of bodies that have arrived and are not done with; no more is asked for beyond
COUNTED: frozenset[Kind] = frozenset({"home", "section", "article", "page"})  # what --max-pages limits
LIMIT_REACHED = "the limit of {} pages was reached"


@dataclass(slots=True)
class _Site:
    """The pages of one site that wait here, and how many wait in the frontier, these included."""

    pending: int = 0
    buffer: deque[Page] = field(default_factory=deque)
    due_at: float = 0.0  # seconds since 1970; when pages put off may be asked for again


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a crawl's pages, by the end of a run. The outcomes and *pending* add up to all pages."""

    outcomes: Mapping[Outcome, int]
    articles: Mapping[str, int]  # "extracted", "unreadable", "waiting"
    pending: int
    reasons: Sequence[Reason]  # why pages were not captured, or not well
    down: Mapping[str, str]  # sites that were given up in this run, and why
    ended_now: int | None = None  # of all, those of this run; None when there was none before


class FrontierScheduler(BaseScheduler):
    """Hands out the pages of a :class:`~crawler.frontier.Frontier`, whose name is made of the crawl's arguments.

    Settings: ``NEWSWARC_DELAY_S``, ``DOWNLOAD_DELAY``, ``CONCURRENT_REQUESTS``, ``CONCURRENT_REQUESTS_PER_DOMAIN``.
    """

    def __init__(self, crawler: Crawler, frontier: Frontier, politeness: Politeness) -> None:
        self.crawler, self.frontier, self.politeness = crawler, frontier, politeness
        self.started = datetime.now(UTC)  # of the crawl, which may have been begun by an earlier run
        self.resumed = False
        self.unread = 0  # articles still to be extracted
        self._ended_now = 0  # pages, in this run
        self.trapped: set[str] = set()
        self._committer = Committer(frontier.commit, name="newswarc-frontier")
        self._sites: dict[str, _Site] = {}
        self._in_flight: dict[int, Page] = {}
        self._arrived: dict[int, int] = {}  # of these, those the site is done with, and the bytes held for each
        self._held_bytes = 0
        self._most_at_sites = crawler.settings.getint("CONCURRENT_REQUESTS")
        self._most_in_flight = 2 * self._most_at_sites
        self._most_with_listings = max(1, self._most_in_flight // 4)
        self._counted = 0  # towards max_pages
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.article_waits = asyncio.Event()  # set whenever there is one more to be extracted
        self._ending = False  # the limit is reached, the rest is being skipped
        self._spider: PublicationSpider | None = None
        self._slot: EngineSlot | None = None  # until the engine is there
        self._woken = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings, options = crawler.settings, config.current()
        assert crawler.spider is not None
        politeness = Politeness(
            delay_s=max(settings.getfloat("NEWSWARC_DELAY_S", options.delay_s), settings.getfloat("DOWNLOAD_DELAY")),
            concurrency=settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"),
            rest_s=settings.getfloat("NEWSWARC_REST_S", options.rest_s),
        )
        return cls(crawler, _opened(frontier_path(crawler)), politeness)

    def open(self, spider: Spider) -> None:
        """Go on where an earlier run of the same crawl stopped, or begin with the spider's seeds."""
        self._spider = spider  # type: ignore[assignment]  # only publications' spiders use this scheduler
        self._slot = EngineSlot(self.crawler.engine)
        facts = self.frontier.facts()
        if "started" in facts:
            self.resumed = True
            self.started = parse_iso(facts["started"])
        else:
            self.frontier.note("started", iso(self.started))
            self.frontier.note("crawl", json.dumps(spider.crawl_arguments))  # type: ignore[attr-defined]
            self.frontier.add(spider.leads.seeds())  # type: ignore[attr-defined]
            self.frontier.commit()
        self._sites = {site: _Site(pending=count) for site, count in self.frontier.pending().items()}
        if self.crawler.get_extension(Extractor) is not None:  # or they wait for a run that has one
            self.unread = self.frontier.articles().get("waiting", 0)
        self.trapped = self.frontier.trapped(traps.BARREN_PAGES)
        self._counted = self.frontier.count_asked(COUNTED)

    @property
    def waiting(self) -> int:
        """How many pages are still to be asked for."""
        return sum(site.pending for site in list(self._sites.values()))  # another thread may ask

    @property
    def under_way(self) -> int:
        """How many pages have been asked for and have not ended."""
        return len(self._in_flight)

    @property
    def pressed(self) -> bool:
        """Whether pages arrive faster than they are kept and followed: the processor is what the crawl waits for."""
        return len(self._arrived) > self._most_in_flight // 4

    # ---- what Scrapy's engine asks

    def has_pending_requests(self) -> bool:
        """Whether anything is still to be done in this run: pages to ask for, articles to extract."""
        waiting = any(site.pending and not self.politeness.down(name) for name, site in self._sites.items())
        return waiting or bool(self._in_flight) or self.unread > 0

    def enqueue_request(self, request: Request) -> bool:
        """Refuse it: a request that came past the frontier could be lost."""
        log.error(
            "%s is not asked for: the spiders of publications give leads to the frontier, not requests to Scrapy",
            request.url,
        )
        return False

    def next_request(self) -> None:
        """Have all pages asked for that may be asked for now; the engine is given none."""
        self._begin_pages()

    # ---- which page is next

    def wake(self) -> None:
        """Have pages asked for soon, or the run ended if there is nothing left to do."""
        if not self._woken:
            self._woken = True
            asyncio.get_running_loop().call_soon(self._wakes)

    def _wakes(self) -> None:
        self._woken = False
        self._begin_pages()
        if not self.has_pending_requests() and self._slot is not None:
            self._slot.wake()

    def _begin_pages(self) -> None:
        engine = self.crawler.engine
        assert engine is not None
        assert self._spider is not None
        while not engine.paused and not engine.needs_backout() and (page := self.next_page()) is not None:
            self.attend_to(self._spider.attend(page))

    def next_page(self) -> Page | None:
        """Return the next page that may be asked for now, which is under way then.

        None when there is none; the scheduler wakes by itself when there may be one.
        """
        page = self._next_page()
        if page is not None:
            self._in_flight[page.id] = page
            self.politeness.asked(page.site)
            self._counted += page.kind in COUNTED
        return page

    def _next_page(self) -> Page | None:
        at_sites = len(self._in_flight) - len(self._arrived)
        if at_sites >= self._most_at_sites or self._held_bytes >= HELD_BYTES or self._ending:
            return None
        soonest: float | None = None
        for name, site in list(self._sites.items()):
            if not site.pending or self.politeness.down(name):
                continue
            wait_s = self.politeness.wait_s(name)
            if wait_s == 0:
                page = None if self._limit_reached_at(site, name) else self._take(name, site)
                if page is not None:
                    self._sites[name] = self._sites.pop(name)  # the others first, next time
                    return page
                wait_s = max(0.01, site.due_at - time.time()) if site.due_at else None
            if wait_s is not None and wait_s > 0:
                soonest = wait_s if soonest is None else min(soonest, wait_s)
        if soonest is not None:
            self._wake_in(soonest)
        return None

    def _take(self, name: str, site: _Site) -> Page | None:
        while True:
            if not site.buffer:
                self._refill(name, site)
            if not site.buffer or len(self._in_flight) >= self._most_in_flight:
                return None
            if site.buffer[0].priority > PRIORITY["article"] and len(self._in_flight) >= self._most_with_listings:
                return None  # what is under way may lead to articles, which come first
            page = site.buffer.popleft()
            if page.kind in traps.LISTINGS and traps.template(page.url) in self.trapped:
                self._in_flight[page.id] = page
                site.pending -= 1
                self.attend_to(self.finish(page, Done("skipped", traps.BARREN), asked=False))
                continue
            site.pending -= 1
            return page

    def _refill(self, name: str, site: _Site) -> None:
        held = self._in_flight.keys()
        beyond = COUNTED if self._is_limit_reached() else ()
        now = time.time()  # the same for both, or what comes due in between is not waited for
        pages = self.frontier.due(name, now, BUFFERED + len(held), except_for=beyond)
        site.buffer.extend(page for page in pages if page.id not in held)
        site.due_at = 0.0 if site.buffer else (self.frontier.next_due(name, now) or 0.0)

    def _limit_reached_at(self, site: _Site, name: str) -> bool:
        """Tell whether the next page of *site* would be one too many; end the crawl once nothing else is under way."""
        if not self._is_limit_reached():
            return False
        while site.buffer and site.buffer[0].kind in COUNTED:  # what is behind them may belong to pages within it
            site.buffer.popleft()
        if not site.buffer:
            self._refill(name, site)
        if site.buffer:
            return False
        if not self._in_flight and not self._uncounted_left():
            self._ending = True
            assert self._spider is not None
            self.attend_to(self._skip_the_rest(LIMIT_REACHED.format(self._spider.max_pages)))
        return True

    def _is_limit_reached(self) -> bool:
        assert self._spider is not None
        limit = self._spider.max_pages
        return limit is not None and self._counted >= limit

    def _uncounted_left(self) -> bool:
        """Whether pages beyond the limit of pages are still to come, as feeds, or what articles need to be shown."""
        assert self._spider is not None
        pending = self.frontier.pending(except_for=COUNTED)
        return any(not self.politeness.down(name) for name in pending) or (self._spider.requisites and self.unread > 0)

    async def _skip_the_rest(self, reason: str) -> None:
        self._ended_now += await self._write(lambda: self.frontier.skip_pending(reason))
        for site in self._sites.values():
            site.pending = 0
            site.buffer.clear()
        self._ending = False
        self.wake()

    # ---- what the spider tells

    def arrived(self, page: Page, size: int) -> None:
        """The site is done with *page*, whose body has *size* bytes, and may be asked for another."""
        if page.id in self._in_flight and page.id not in self._arrived:
            self._arrived[page.id] = size
            self._held_bytes += size
            self.politeness.done(page.site)
            self.wake()

    async def finish(self, page: Page, done: Done, leads: Sequence[Lead] = (), *, asked: bool = True) -> None:
        """Say what became of *page* and enter what it leads to, durably and in one step."""
        try:
            self._added(await self._write(lambda: self.frontier.finish(page.id, done, leads, modified=page.modified)))
            self._ended_now += 1
            if done.extract:
                self.article_waits.set()
        finally:
            if done.outcome == "refused":
                self._counted -= page.kind in COUNTED
            self._left(page, asked=asked)

    def not_asked(self, page: Page) -> None:
        """The archive answered in place of the site: no delay and no limit is used up by *page*."""
        self.politeness.not_asked(page.site)
        self._counted -= page.kind in COUNTED

    async def postpone(self, page: Page, delay_s: float, *, tries: int) -> None:
        """Leave *page* pending, after *tries* tries: it is asked for again, but not before *delay_s*."""
        try:
            not_before = time.time() + delay_s
            await self._write(lambda: self.frontier.postpone(page.id, tries=tries, not_before=not_before))
        finally:
            self._back(page)

    def give_back(self, page: Page) -> None:
        """Leave *page* pending as if it had not been asked for: the run was cut off."""
        self._back(page)

    async def show(self, template: str, keys: Iterable[str]) -> None:
        """Tell what a listing showed; when listings like it have led nowhere for long, ask for no more of them."""
        listed = list(keys)
        if await self._write(lambda: self.frontier.show(template, listed)) >= traps.BARREN_PAGES:
            self.trapped.add(template)
        else:
            self.trapped.discard(template)

    async def extracted(self, page: Unread, problem: str | None = None, leads: Sequence[Lead] = ()) -> None:
        """Say that the article of *page* is read, or why it cannot be, and enter what the page needs to be shown."""
        self._added(await self._write(lambda: self.frontier.extracted(page, problem, leads)))
        if leads or not self.unread:
            self.wake()

    async def _write(self, job: Callable[[], T]) -> T:
        try:
            return await self._committer.do(job)
        except ArchiveError as error:
            session_of(self.crawler).stop(error)
            raise

    def _added(self, added: Added) -> None:
        self.unread += added.unread
        for name in added.told & self._sites.keys():
            self._sites[name].buffer.clear()  # read again, with what is known of them now
        for name, count in added.pending.items():
            site = self._sites.setdefault(name, _Site())
            site.pending += count
            if site.buffer and added.best[name] < site.buffer[-1].priority:
                site.buffer.clear()  # read again, with the new ones among them

    def _left(self, page: Page, *, asked: bool = True) -> None:
        if self._in_flight.pop(page.id, None) is None:
            return  # it was left before: a bug was met after that, and nothing is counted twice
        size = self._arrived.pop(page.id, None)
        if size is not None:
            self._held_bytes -= size
        elif asked:
            self.politeness.done(page.site)
        self.wake()

    def _back(self, page: Page) -> None:
        self._counted -= page.kind in COUNTED
        site = self._sites.setdefault(page.site, _Site())
        site.pending += 1
        site.due_at = 0.0
        self._left(page)

    def _wake_in(self, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + delay_s
        if (
            self._timer is None
            or self._timer.cancelled()
            or self._timer.when() <= loop.time()
            or at < self._timer.when()
        ):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(at, self.wake)

    def attend_to(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run what becomes of a page: the run does not end before it has."""
        assert self._slot is not None
        task = asyncio.get_running_loop().create_task(_attended(coroutine))
        self._tasks.add(task)
        self._slot.enter(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._slot.leave)

    # ---- the end

    def close(self, reason: str) -> Deferred[None]:  # noqa: ARG002 - Scrapy's signature
        """Commit what was told, count what became of each page, and let the next run begin anew when all is done."""
        return deferred_from_coro(self._close())

    async def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._tasks)
        extractor = self.crawler.get_extension(Extractor)
        if extractor is not None:
            await extractor.stop()
        self._committer.close()
        try:
            pending = self.frontier.pending()
            if not pending and not self.frontier.articles().get("waiting"):
                self.frontier.note("finished", iso(datetime.now(UTC)))
                self.frontier.commit()
            account = Account(
                self.frontier.outcomes(),
                self.frontier.articles(),
                sum(pending.values()),
                self.frontier.reasons(),
                {site: why for site in pending if (why := self.politeness.down(site))},
                self._ended_now if self.resumed else None,
            )
            assert self._spider is not None
            self._spider.account = account
        except ArchiveError as error:
            session_of(self.crawler).stop(error)
        finally:
            self.frontier.close()


async def _attended(coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        await coroutine
    except ArchiveError:
        return  # the session is stopping the run, and the page is still pending
    except Exception:
        log.exception("the end of a page: a bug; it is still pending")


def frontier_path(crawler: Crawler) -> Path:
    """Return where the frontier of this crawl lies: the same arguments, the same frontier."""
    spider: Any = crawler.spider
    arguments = json.dumps(spider.crawl_arguments, sort_keys=True)
    digest = hashlib.sha256(arguments.encode()).hexdigest()[:12]
    return session_of(crawler).archive.state_dir / "crawls" / f"{spider.name}-{digest}.sqlite"


def _opened(path: Path) -> Frontier:
    """Open the frontier of a crawl that is not finished; a finished one makes room for the next."""
    frontier = Frontier.open(path)
    if "finished" in frontier.facts():
        frontier.remove()
        frontier = Frontier.open(path)
    return frontier
