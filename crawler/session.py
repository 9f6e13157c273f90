"""The open archive of one crawl: the extension that owns opening, committing, rotating, publishing and closing.

Records are built, compressed, written and fsynced in groups, on one thread (:mod:`crawler.committing`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Self, TypeVar

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils.defer import _schedule_coro

from archive.archive import Archive
from archive.article import Article
from archive.capture import SERVER_NOT_MODIFIED, Capture
from archive.errors import ArchiveError, StorageUnavailable
from archive.exchange import Exchange
from archive.recorder import Recorder, RunInfo
from crawler import config
from crawler.committing import Committer
from crawler.selftest import check_scrapy

log = logging.getLogger(__name__)
T = TypeVar("T")

PUBLISH_INTERRUPTED_S = 30.0  # how long an interrupted crawl tries to publish; what it cannot is kept for the next


class ArchiveSession:
    """The archive that the running crawl writes to. ``crawler.get_extension(ArchiveSession)`` finds it."""

    def __init__(self, crawler: Crawler, archive: Archive, recorder: Recorder) -> None:
        self.crawler, self.archive = crawler, archive
        self.recorder = recorder
        self.error: Exception | None = None  # what ended the crawl, if anything did
        self.received_bytes = 0  # of answers, as they crossed the wire
        self._caller_tells = crawler.settings.getbool("NEWSWARC_CALLER_TELLS_ERRORS")
        self._committer = Committer(recorder.commit, name="newswarc-commit")
        self._closed = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        location = crawler.settings.get("NEWSWARC_ARCHIVE")
        if location is None:
            raise NotConfigured("NEWSWARC_ARCHIVE names no archive")
        check_scrapy(crawler.settings)
        options = config.current()
        archive = Archive.open(location, s3=options.s3, state_dir=options.state_dir)
        _probe(archive)
        info = RunInfo(
            operator=options.operator,
            user_agent=crawler.settings.get("USER_AGENT"),
            robots=crawler.settings.get("NEWSWARC_ROBOTS"),
            part_of=crawler.spidercls.name,
        )
        recorder = archive.recorder(
            info, rotate_at_bytes=options.rotate_at_bytes, rotate_after_s=options.rotate_after_s
        )
        session = cls(crawler, archive, recorder)
        crawler.signals.connect(session.spider_closed, signal=signals.spider_closed)
        return session

    async def capture(
        self, exchange: Exchange, evidence: Sequence[tuple[str, str]], *, whole: bool = False
    ) -> Capture | None:
        """Write one exchange; return when it is durable. None when there was no response to capture.

        *whole*: as a response, even if the archive has that payload already.
        Raises ``StorageError`` when it could not be kept; the crawl is then being stopped.
        """

        self.received_bytes += len(exchange.response)

        def record() -> Capture | None:
            with exchange.response:  # once it is written, or cannot be, nobody reads it again
                return self.recorder.record(exchange, evidence, whole=whole)

        return await self._commit(record)

    async def decision(self, url: str, evidence: Sequence[tuple[str, str]], *, about: str | None) -> None:
        """Write why *url* was not asked for; return when it is durable. *about*: the id of the record that says so."""
        await self._commit(lambda: self.recorder.record_decision(url, evidence, about=about))

    async def article(self, article: Article) -> str:
        """Write one extracted article beside its capture; return its conversion record's id when it is durable."""
        return await self._commit(lambda: self.recorder.record_article(article))

    async def _commit(self, job: Callable[[], T]) -> T:
        try:
            return await self._committer.do(job)
        except ArchiveError as error:
            self.stop(error)
            raise

    def stop(self, error: Exception, *, reason: str = "storage_failed") -> None:
        """End the crawl for *error*; Scrapy is told the *reason*.

        A page that fails is counted and the crawl goes on; a store that fails, or whatever else no page can go on
        without, ends it.
        """
        if self.error is None:
            self._fail(error)
            if self.crawler.engine is not None:
                _schedule_coro(self.crawler.engine.close_spider_async(reason=reason))

    async def spider_closed(self, reason: str) -> None:
        """Seal what is open and publish it. A failure is kept in :attr:`error`: a signal handler's is swallowed.

        An interrupted crawl does not wait long for a slow store.
        """
        wait_s = PUBLISH_INTERRUPTED_S if reason == "shutdown" else None
        # A daemon thread: whoever has had enough need not wait for a store that does not answer.
        closed: Future[None] = Future()

        def close() -> None:
            try:
                self.close(wait_s)
            finally:
                closed.set_result(None)

        threading.Thread(target=close, name="newswarc-close", daemon=True).start()
        await asyncio.wrap_future(closed)

    def close(self, wait_s: float | None = None) -> None:
        """Seal, publish for at most *wait_s*, close. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._committer.close()
            self.recorder.close(wait_s)
        except Exception as error:  # noqa: BLE001 - whoever started the crawl finds it in ``error``, a bug too
            self._fail(error)
        finally:
            self.archive.close()

    def _fail(self, error: Exception) -> None:
        self.error = self.error or error
        if not self._caller_tells:  # as when it is Scrapy's own command that runs the crawl
            log.error("%s", error)


def _probe(archive: Archive) -> None:
    """Try the store before anything is fetched; one that is out of reach gets what is captured later.

    Raises ``StorageRefused`` when it will never take anything: wrong credentials, no such bucket, no permission.
    """
    try:
        for shortcoming in archive.storage.probe():
            log.warning("%s", shortcoming)
    except StorageUnavailable as error:
        log.warning("%s; captures are kept in %s until it answers", error, archive.sessions_dir)


def session_of(crawler: Crawler) -> ArchiveSession:
    """Return the crawl's session.

    Raises ``RuntimeError`` when the extension is not enabled: capturing without it would lose pages.
    """
    session = crawler.get_extension(ArchiveSession)
    if session is None:
        raise RuntimeError("crawler.session.ArchiveSession is not in EXTENSIONS: nothing could be archived")
    return session


def repeats_itself(capture: Capture) -> bool:
    """Tell whether it is a revisit of its own URL: another URL's bytes make it no less new."""
    return capture.profile == SERVER_NOT_MODIFIED or (
        capture.refers_to is not None and capture.refers_to.url == capture.url
    )
