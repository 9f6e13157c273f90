"""Scrapy's downloader without its queues: what may be asked for, and when, the frontier's scheduler has decided."""

from __future__ import annotations

from typing import TypeVar

from scrapy import Request, signals
from scrapy.core.downloader import Downloader
from scrapy.http import Response
from scrapy.utils.defer import deferred_from_coro
from twisted.internet.defer import Deferred

T = TypeVar("T")


class DirectDownloader(Downloader):
    """Hands each request to the middlewares and the download handler at once.

    Of Scrapy's own it keeps ``CONCURRENT_REQUESTS`` and the signal ``response_downloaded``; concurrency and delay by
    host are not its business.
    """

    def fetch(self, request: Request) -> Deferred[Response | Request]:  # type: ignore[override]  # no spider is passed
        self.active.add(request)
        fetched = deferred_from_coro(self.middleware.download_async(self._transfer, request))
        return fetched.addBoth(self._ended, request)  # of a coroutine cancelled before it began nothing runs

    def _ended(self, result: T, request: Request) -> T:
        self.active.remove(request)
        return result

    async def _transfer(self, request: Request) -> Response:
        response = await self.handlers.download_request_async(request)
        self.signals.send_catch_log(
            signals.response_downloaded, response=response, request=request, spider=self.crawler.spider
        )
        return response
