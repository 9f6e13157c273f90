"""Scrapy's scheduler over the frontier: what is asked for next, and when.

Neither does the engine take requests here, nor do callbacks give any: each page is attended to by one coroutine of the
spider, from its request to what it leads to, which ends by saying so in one step, :meth:`FrontierScheduler.finish`.
Whose turn is next, :mod:`crawler.turns` says.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.utils.defer import deferred_from_coro
from twisted.internet.defer import Deferred

from archive.capture import iso, parse_iso
from archive.errors import ArchiveError
from crawler import config
from crawler.account import Account
from crawler.budget import Budget
from crawler.committing import Committer
from crawler.engine import EngineSlot
from crawler.extractor import Extractor
from crawler.frontier import Added, Done, Frontier, Lead, Listed, Observed, Page, Unread
from crawler.known import ladder_of, now
from crawler.politeness import Politeness
from crawler.revisiting.due import due_leads
from crawler.session import ArchiveSession, session_of
from crawler.turns import Turns
from crawler.warc_addresses import addresses

if TYPE_CHECKING:
    from crawler.spider import PublicationSpider

log = logging.getLogger(__name__)
T = TypeVar("T")

WORTH_TELLING_S = 10.0  # of waiting
_HUBS_OF = "hubs of "  # a feed, as the frontier's facts name it
LIMIT_REACHED = "the limit of {} pages was reached"


class FrontierScheduler(BaseScheduler):
    """Hands out the pages of a :class:`~crawler.frontier.Frontier`, whose name is made of the crawl's arguments.

    Settings: ``NEWSWARC_DELAY_S``, ``DOWNLOAD_DELAY``, ``CONCURRENT_REQUESTS``, ``CONCURRENT_REQUESTS_PER_DOMAIN``,
    ``NEWSWARC_BUDGET_BYTES``, ``NEWSWARC_BUDGET_S``, ``NEWSWARC_FROM_WARC``.
    """

    def __init__(self, crawler: Crawler, frontier: Frontier, politeness: Politeness) -> None:
        self.crawler, self.frontier, self.politeness = crawler, frontier, politeness
        self.turns: Turns  # from :meth:`open` on
        self.started = datetime.now(UTC)  # of the crawl, which may have been begun by an earlier run
        self.resumed = False
        self.unread = 0  # articles still to be extracted
        self._ended_before = 0  # pages, in earlier runs
        self._committer = Committer(frontier.commit, name="newswarc-frontier")
        self._more_to_come = 0  # of those who may still enter pages
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.article_waits = asyncio.Event()  # set whenever there is one more to be extracted
        self._ending = False  # the limit is reached, the rest is being skipped
        self._spider: PublicationSpider | None = None
        self._slot: EngineSlot | None = None  # until the engine is there
        self._woken = False
        self._told_until = 0.0  # monotonic

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings, options = crawler.settings, config.current()
        assert crawler.spider is not None
        for name in ("CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN"):
            if settings.getint(name) < 1:
                raise config.ConfigError(f"{name} is {settings.get(name)}: it must be 1 or more")
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
        self.frontier.begin_run(iso(datetime.now(UTC)))
        if "started" in facts:
            self.resumed = True
            self.started = parse_iso(facts["started"])
            self._ended_before = sum(self.frontier.outcomes().values())
        else:
            self.frontier.note("started", iso(self.started))
            self.frontier.note("crawl", json.dumps(spider.crawl_arguments))  # type: ignore[attr-defined]
            self.frontier.add(spider.leads.seeds())  # type: ignore[attr-defined]
            if (session := self.crawler.get_extension(ArchiveSession)) is not None:
                due = due_leads(session.archive, spider.leads, ladder_of(self.crawler), now())  # type: ignore[attr-defined]
                self.frontier.add(due)
        self.frontier.commit()
        self._enter_named(spider)
        self.frontier.order = spider.order  # type: ignore[attr-defined]
        if self.crawler.get_extension(Extractor) is not None:  # or they wait for a run that has one
            self.unread = self.frontier.articles().get("waiting", 0)
        self.turns = Turns(
            self.frontier,
            self.politeness,
            at_once=self.crawler.settings.getint("CONCURRENT_REQUESTS"),
            max_pages=spider.max_pages,  # type: ignore[attr-defined]
            more_to_come=lambda: spider.requisites and self.unread > 0,  # type: ignore[attr-defined]
            budget=Budget(
                max_bytes=self.crawler.settings.getint("NEWSWARC_BUDGET_BYTES") or None,
                max_s=self.crawler.settings.getfloat("NEWSWARC_BUDGET_S") or None,
                received=lambda: session_of(self.crawler).received_bytes,
            ),
        )

    def _enter_named(self, spider: Any) -> None:
        """Enter the addresses that WARC files name, those that are new: any number of runs may be given the same."""
        files = [Path(file) for file in self.crawler.settings.getlist("NEWSWARC_FROM_WARC")]
        if files:
            found = addresses(files, spider.publication.owns)
            self.frontier.add(lead for url in found if (lead := spider.leads.named(url)) is not None)
            self.frontier.commit()

    # ---- what Scrapy's engine asks

    def has_pending_requests(self) -> bool:
        """Whether anything is still to be done in this run: pages to ask for, articles to extract."""
        return self.turns.any_left or self.unread > 0 or self._more_to_come > 0

    @contextmanager
    def more_to_come(self) -> Iterator[None]:
        """Let the run go on, though no page waits: some may still be found."""
        self._more_to_come += 1
        try:
            yield
        finally:
            self._more_to_come -= 1
            self.wake()

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
        assert self._slot is not None
        while engine.running and not (engine.paused or self._slot.closing or self._ending):
            turn = self.turns.next()
            if turn is None:
                self._wait()
                return
            if turn.skip is None:
                self.attend_to(self._attend(turn.page))
            else:
                self.attend_to(self.finish(turn.page, Done("skipped", turn.skip), asked=False))

    async def _attend(self, page: Page) -> None:
        assert self._spider is not None
        try:
            await self._spider.attendant.attend(page)
        finally:  # whatever befell it, the run does not wait for it: it is pending unless it was ended
            self.turns.left(page)
            self.wake()

    def _wait(self) -> None:
        """Look again when a page may have its turn; end the crawl when none may have it any more."""
        soonest_s = self.turns.soonest_s
        if soonest_s is not None:
            self._wake_in(soonest_s)
            if soonest_s >= WORTH_TELLING_S and not self.turns.under_way and not self.unread:
                self._tell_that_it_waits(soonest_s)
        if self.turns.at_the_limit():
            self._ending = True
            self.attend_to(self._skip_the_rest(LIMIT_REACHED.format(self.turns.max_pages)))

    def _tell_that_it_waits(self, soonest_s: float) -> None:
        until = time.monotonic() + soonest_s
        if until > self._told_until + 1:
            self._told_until = until
            why = "; ".join(f"{site} rests: {why}" for site, (_, why) in self.politeness.resting().items())
            log.warning("nothing may be asked for in the next %.0f s: %s", soonest_s, why or "its sites asked for that")

    async def _skip_the_rest(self, reason: str) -> None:
        await self._write(lambda: self.frontier.skip_pending(reason))
        self.turns.none_waits()
        self._ending = False
        self.wake()

    # ---- what the spider tells

    def arrived(self, page: Page, size: int) -> None:
        """The site is done with *page*, whose body has *size* bytes, and may be asked for another."""
        self.turns.arrived(page, size)
        self.wake()

    def kept(self, page: Page) -> None:
        """What came for *page* is durable, or nothing came: another may be begun beside it."""
        self.turns.kept(page)
        self.wake()

    async def finish(
        self, page: Page, done: Done, leads: Sequence[Lead] = (), *, asked: bool = True, listed: Sequence[Listed] = ()
    ) -> None:
        """Say what became of *page* and enter what it leads to, durably and in one step."""
        finish = partial(self.frontier.finish, page.id, done, leads, modified=page.modified, listed=listed)
        try:
            self._added(await self._write(finish))
            if done.extract:
                self.article_waits.set()
        finally:
            self.turns.left(page, asked=asked)
            self.wake()

    async def enter(self, leads: Sequence[Lead]) -> None:
        """Enter *leads* that no one page led to."""
        self._added(await self._write(lambda: self.frontier.add(leads)))
        self.wake()

    async def postpone(self, page: Page, delay_s: float, *, tries: int) -> None:
        """Leave *page* pending, after *tries* tries: it is asked for again, but not before *delay_s*."""
        try:
            not_before = time.time() + delay_s
            await self._write(lambda: self.frontier.postpone(page.id, tries=tries, not_before=not_before))
        finally:
            self.turns.back(page, tried=True)
            self.wake()

    def give_back(self, page: Page) -> None:
        """Leave *page* pending as if it had not been asked for, as when the run was cut off."""
        self.turns.back(page)
        self.wake()

    async def show(self, listing: str, keys: Iterable[str]) -> None:
        """Tell what a *listing* showed; when listings like it have led nowhere for long, ask for no more of them."""
        listed = list(keys)
        self.turns.barren(listing, await self._write(lambda: self.frontier.show(listing, listed)))

    async def has_hubs(self, feed: Page, hubs: Sequence[str]) -> None:
        """Keep which WebSub *hubs* a feed names: who subscribes there is told what is new in it."""
        await self._write(lambda: self.frontier.note(f"{_HUBS_OF}{feed.url}", " ".join(hubs)))

    async def extracted(
        self,
        page: Unread,
        problem: str | None = None,
        leads: Sequence[Lead] = (),
        *,
        day: str | None = None,
        observed: Sequence[Observed] = (),
    ) -> None:
        """Say that the article of *page* is read, or why it cannot be, and enter what the page needs to be shown."""
        extracted = partial(self.frontier.extracted, page, problem, leads, day=day, observed=observed)
        self._added(await self._write(extracted))
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
        self.turns.added(added)

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
            outcomes = self.frontier.outcomes()
            account = Account(
                outcomes,
                self.frontier.articles(),
                sum(pending.values()),
                self.frontier.reasons(),
                {site: why for site in pending if (why := self.politeness.down(site))},
                sum(outcomes.values()) - self._ended_before if self.resumed else None,
                self.turns.budget.used_up() if pending else None,
                {
                    name.removeprefix(_HUBS_OF): hubs.split()
                    for name, hubs in self.frontier.facts().items()
                    if name.startswith(_HUBS_OF)
                },
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
        log.exception("a page: a bug; it is still pending")


def frontier_path(crawler: Crawler) -> Path:
    """Return where the frontier of this crawl lies: the same arguments, the same frontier.

    A job has frontiers of its own. The days it is bound to are no part of their names: they move on from run to
    run, and what an earlier run left is still to be done.
    """
    spider: Any = crawler.spider
    arguments, name = dict(spider.crawl_arguments), spider.name
    if spider.job:
        arguments = {key: value for key, value in arguments.items() if key not in ("since", "until")}
        name = f"job-{spider.job}-{spider.name}"
    digest = hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()[:12]
    return session_of(crawler).archive.state_dir / "crawls" / f"{name}-{digest}.sqlite"


def _opened(path: Path) -> Frontier:
    """Open the frontier of a crawl that is not finished; a finished one makes room for the next."""
    frontier = Frontier.open(path)
    if "finished" in frontier.facts():
        frontier.remove()
        frontier = Frontier.open(path)
    return frontier
