"""Extraction behind the crawl: articles are read out of captures that are on disk already, when there is time.

The queue is the frontier: a page that is done and whose article is not yet read says so there, by the place of its
record. So any number may wait, at no cost in memory, and what waits when the crawl is stopped is read by the next run.
A few are under way at a time, in worker processes that read the records themselves and let the crawl have the
processor first.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from archive.archive import Archive
from archive.article import Article
from archive.capture import Capture
from archive.entries import capture_of
from archive.errors import ArchiveError, ExtractionFailed, RecordError, StorageError
from archive.examine import Examination, examine_record
from archive.extraction.learned import Learned
from archive.reference import Reference
from archive.rules import host_of
from archive.standing import SHOWN_KINDS
from archive.workers import Workers
from crawler import config
from crawler.examiner import completed
from crawler.follower import give_up
from crawler.frontier import Observed, Unread
from crawler.interruption import HURRY
from crawler.publishers import publisher_modules
from crawler.reports.observing import earlier, listings_of, observe
from crawler.results import PageResult
from crawler.session import session_of

if TYPE_CHECKING:
    from crawler.scheduler import FrontierScheduler
    from crawler.spider import PublicationSpider

log = logging.getLogger(__name__)

NICENESS = 19  # whatever the crawl leaves of the processor
AHEAD = 2  # tasks a worker: one under way, one at hand


class Extractor:
    """Extracts what waits in the frontier. ``crawler.get_extension(Extractor)`` finds it.

    ``NEWSWARC_EXTRACT`` turns it off. Statistics: ``extract/articles``, ``extract/failed``.
    """

    def __init__(self, crawler: Crawler, workers: Workers) -> None:
        self.crawler, self.workers = crawler, workers
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._runner: asyncio.Task[None] | None = None
        self._stopping = False
        self.hosts: set[str] = set()  # of which articles were read in this run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings.getbool("NEWSWARC_EXTRACT", True):
            raise NotConfigured("NEWSWARC_EXTRACT is off")
        options = config.current()
        extractor = cls(
            crawler,
            Workers(
                options.workers,
                memory_bytes=options.worker_memory_bytes,
                time_limit_s=options.worker_time_limit_s,
                publishers=publisher_modules(crawler.settings.getlist("SPIDER_MODULES")),
                nice=NICENESS,
            ),
        )
        crawler.signals.connect(extractor.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(extractor.spider_closed, signal=signals.spider_closed)
        crawler.signals.connect(extractor.hurry, signal=HURRY)
        return extractor

    @property
    def _scheduler(self) -> FrontierScheduler:
        assert self.crawler.engine is not None
        return self.crawler.engine.scheduler  # type: ignore[return-value]  # publications' spiders have no other

    def spider_opened(self) -> None:
        self._runner = asyncio.get_running_loop().create_task(self._run())

    def hurry(self, within_s: float) -> None:
        """Begin nothing more; what is under way is given up when no time is left."""
        self._stopping = True
        if self._runner is not None:
            self._runner.cancel()
        asyncio.get_running_loop().call_later(within_s, give_up, self.workers)

    async def stop(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        self._stopping = True
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, *self._under_way.values(), return_exceptions=True)

    async def spider_closed(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.workers.close)

    async def _run(self) -> None:
        try:
            await self._extract_all()
        except ArchiveError as error:  # the frontier cannot be read
            session_of(self.crawler).stop(error)

    async def _extract_all(self) -> None:
        scheduler = self._scheduler
        while not self._stopping:
            scheduler.article_waits.clear()
            most = 1 if scheduler.turns.pressed else self.workers.count * AHEAD
            if len(self._under_way) < most:
                for page in scheduler.frontier.unread(most + len(self._under_way)):
                    if page.id not in self._under_way and len(self._under_way) < most:
                        task = asyncio.get_running_loop().create_task(self._extract(page))
                        self._under_way[page.id] = task
                        task.add_done_callback(partial(self._ended, page.id))
            await scheduler.article_waits.wait()

    def _ended(self, page_id: int, task: asyncio.Task[None]) -> None:
        self._under_way.pop(page_id, None)
        self._scheduler.article_waits.set()
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, ArchiveError):
            log.error("what became of an article could not be noted: this is a bug", exc_info=error)

    async def _extract(self, page: Unread) -> None:
        try:
            await self._extract_one(page)
        except ArchiveError as error:
            session_of(self.crawler).stop(error)  # the page waits for the next run
        except Exception as error:
            log.exception("%s: a bug; the page itself is kept", page.url)
            await self._scheduler.extracted(page, f"kept, but its article could not be read: {error!r}")

    async def _extract_one(self, page: Unread) -> None:
        session = session_of(self.crawler)
        spider: PublicationSpider = self.crawler.spider  # type: ignore[assignment]  # this extension is theirs alone
        capture, known = await asyncio.to_thread(_look_up, session.archive, page)
        result = PageResult(url=page.url, outcome=page.outcome)
        article = known
        observed: list[Observed] = []
        if capture is None:
            found = Examination(problem="its record cannot be found")
        else:
            result.placed(capture)
            if known is not None and not spider.requisites:
                found = Examination(page_kind=known.page_kind)
                result.title = known.title
            else:
                found = await self._examine(capture, want_article=known is None, want_requisites=spider.requisites)
        if self._stopping and found.problem and self.workers.was_killed():
            return  # it was given up, and waits for the next run
        if found.article is not None:
            assert capture is not None
            session.archive.learning.add(capture.url, found.seen)
            article = completed(found.article, capture)
            result.title, result.page_kind = article.title, article.page_kind
            try:
                await session.article(article)
            except StorageError:
                return  # the session stops the run; the page waits for the next
            self.hosts.add(host_of(article.url))
        if article is not None and page.outcome != "skipped":  # one that was killed may have kept it, and said nothing
            is_listing = listings_of(spider.publication)
            before = await asyncio.to_thread(earlier, session.archive, article, is_listing)
            observed = await observe(article, before, self._read_again)
        if self._stopping and self.workers.was_killed():
            return  # so was what it is compared with
        result.error = found.problem
        self._count("failed" if found.problem else "articles")
        await self._scheduler.extracted(
            page, found.problem, spider.leads.needed(found, page), day=_day(article), observed=observed
        )
        self.crawler.signals.send_catch_log(signals.item_scraped, item=result, response=None, spider=spider)

    async def _read_again(self, before: Article, after: Article) -> tuple[Article | None, Article | None]:
        """Return what the captures of two articles give when both are read alike; None for what gives nothing."""
        learned = session_of(self.crawler).archive.learning.known(after.url)
        return await self._read_once_more(before, learned), await self._read_once_more(after, learned)

    async def _read_once_more(self, article: Article, learned: Learned) -> Article | None:
        archive = session_of(self.crawler).archive
        capture = await asyncio.to_thread(archive.ask_catalog, methodcaller("capture", article.record_id), None)
        if capture is None:
            return None
        found = await self._examine(capture, want_article=True, want_requisites=False, learned=learned)
        return completed(found.article, capture) if found.article is not None and found.problem is None else None

    async def _examine(
        self, capture: Capture, *, want_article: bool, want_requisites: bool, learned: Learned | None = None
    ) -> Examination:
        archive = session_of(self.crawler).archive
        if learned is None and want_article:
            learned = archive.learning.known(capture.url)
        try:
            for last in (False, True):
                reference = await asyncio.to_thread(_reference, archive, capture)
                try:
                    return await asyncio.wrap_future(
                        self.workers.submit(
                            examine_record,
                            reference,
                            url=capture.url,
                            captured_at=capture.captured_at,
                            want_article=want_article,
                            want_requisites=want_requisites,
                            learned=learned,
                        )
                    )
                except ExtractionFailed as error:
                    # Its file was sealed or published, and so renamed, while the task waited.
                    if last or reference.path is None or reference.path.exists():
                        return Examination(problem=f"kept, but its article could not be read: {error.reason}")
        except (RuntimeError, asyncio.CancelledError) as error:
            return Examination(problem=f"kept, but its article was not read: {error or 'the run was interrupted'}")
        except (StorageError, RecordError) as error:
            return Examination(problem=f"its record cannot be read: {error}")
        raise AssertionError("unreachable")

    def _count(self, what: str) -> None:
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"extract/{what}")


def _look_up(archive: Archive, page: Unread) -> tuple[Capture | None, Article | None]:
    """Return the capture of *page*, and its article when another crawl, or a run that was killed, did extract it."""
    capture = archive.ask_catalog(methodcaller("capture", page.record_id), None)
    if capture is None:
        try:
            capture = capture_of(archive.read(page.place), page.place.key)
        except (StorageError, RecordError):
            return None, None
    return capture, archive.ask_catalog(methodcaller("read_from", page.record_id), None)


def _day(article: Article | None) -> str | None:
    """Return the day on which *article* was published, as its page tells it."""
    if article is None or article.page_kind not in SHOWN_KINDS or not article.published:
        return None
    try:
        return datetime.fromisoformat(article.published).date().isoformat()
    except ValueError:
        return None


def _reference(archive: Archive, capture: Capture) -> Reference:
    return archive.reference(archive.written_place(capture))
