"""Where a fetched page leads: the extension that has links, feeds and sitemaps read in guarded worker processes.

It stands on the crawl's path, for without it the crawl does not know what to ask for next; so its workers have the
processor before those that extract articles, and read no more of a page than it takes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self, cast

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from archive.errors import ExtractionFailed, WorkersUnavailable
from archive.reference import Payload
from archive.workers import Workers
from crawler import config
from crawler.following import Listed, follow, listed
from crawler.frontier import Page
from crawler.handlers import CAPPED, LEFT_OUT, MAX_BODY_BYTES
from crawler.interruption import HURRY
from crawler.leads import Followed
from crawler.session import session_of

if TYPE_CHECKING:
    from crawler.spider import PublicationSpider

WORKERS = 2  # one page that holds up its worker does not hold up the crawl
TASKS_PER_WORKER = 5_000  # a new one has to learn anew what the pages of the site have in common


class CutOff(Exception):
    """The run is being given up: the page is followed by the next one."""


class Follower:
    """Follows pages in worker processes. ``crawler.get_extension(Follower)`` finds it."""

    def __init__(self, crawler: Crawler, workers: Workers) -> None:
        self.crawler, self.workers = crawler, workers
        self._telling = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        options = config.current()
        spider = cast("PublicationSpider", crawler.spider)  # this extension is theirs alone
        follower = cls(
            crawler,
            Workers(
                WORKERS,
                memory_bytes=options.worker_memory_bytes,
                time_limit_s=options.worker_time_limit_s,
                prepare="crawler.following.prepare",
                publishers=[spider.module],
                tasks_per_worker=TASKS_PER_WORKER,
            ),
        )
        crawler.signals.connect(follower.spider_closed, signal=signals.spider_closed)
        crawler.signals.connect(follower.hurry, signal=HURRY)
        return follower

    def hurry(self, within_s: float) -> None:
        """What is not followed by then is followed by the next run."""
        asyncio.get_running_loop().call_later(within_s, give_up, self.workers)

    async def follow(self, response: Response, page: Page) -> Followed:
        """Return what *response* leads to; what is no document leads nowhere and costs nothing.

        Raises :class:`CutOff` when there is no time left for it, and ``WorkersUnavailable``, which stops the crawl.
        """
        if LEFT_OUT in response.flags or not response.body:
            return Followed("other")
        if CAPPED in response.flags:
            return Followed(
                "unknown", problem=f"kept, but too large to be followed: more than {MAX_BODY_BYTES >> 20} MiB"
            )
        if self.workers.was_killed():
            raise CutOff
        spider = cast("PublicationSpider", self.crawler.spider)
        try:
            future = self.workers.submit(
                follow,
                response.body,
                url=response.url,
                content_type=_text(response, "Content-Type"),
                content_encoding=_text(response, "Content-Encoding"),
                page=page,
                spider=spider.module,
                arguments=spider.own_arguments,
                bounds=spider.leads.bounds,
                telling=self._telling,
                status=response.status,
            )
        except RuntimeError:
            if self.workers.was_killed():  # since it was looked at
                raise CutOff from None
            raise
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if self.workers.was_killed() and future.cancelled():
                raise CutOff from None
            raise
        except ExtractionFailed as error:
            self.tell_again()
            if self.workers.was_killed():
                raise CutOff from error
            return Followed("unknown", problem=f"kept, but its links could not be read: {error.reason}")
        except WorkersUnavailable as error:  # no page is to blame, and none is given up for it
            session_of(self.crawler).stop(error, reason="workers_unavailable")
            raise

    async def listed(self, payload: Payload, url: str) -> Listed | None:
        """Return what the sitemap that *payload* is lists; None when that cannot be told, or there is no time left."""
        if self.workers.was_killed():
            return None
        try:
            return await asyncio.wrap_future(
                self.workers.submit(
                    listed,
                    payload.body,
                    url=url,
                    content_type=payload.content_type,
                    content_encoding=payload.content_encoding,
                )
            )
        except (ExtractionFailed, WorkersUnavailable, RuntimeError):
            return None

    def tell_again(self) -> None:
        """Have the workers give all leads anew: some that they gave have not been entered."""
        self._telling += 1

    async def spider_closed(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.workers.close)


def give_up(workers: Workers) -> None:
    """End *workers*, and what they do, without waiting for it."""
    if not workers.was_killed():
        asyncio.get_running_loop().run_in_executor(None, workers.kill)


def _text(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
