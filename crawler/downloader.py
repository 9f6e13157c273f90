"""Scrapy's downloader without its queues: what may be asked for, and when, the frontier's scheduler has decided."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from scrapy import Request, signals
from scrapy.core.downloader import Downloader
from scrapy.http import Response
from scrapy.utils.defer import deferred_from_coro
from scrapy.utils.log import logformatter_adapter
from twisted.internet.defer import Deferred

T = TypeVar("T")

log = logging.getLogger("scrapy.core.engine")  # which says so of what it asks for itself


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

    async def get(self, request: Request, arrived: Callable[[Response], None]) -> Response:
        """Return the answer to *request*, as the engine's ``download_async`` does, with half of its steps.

        *arrived* is called with what the download handler gives, before any middleware sees it. Signals and log are
        those of the engine. Raises whatever the handler or a middleware raises.
        """

        async def transfer(request: Request) -> Response:
            response = await self._transfer(request)
            arrived(response)
            return response

        while True:
            self.active.add(request)
            try:
                result = await self.middleware.download_async(transfer, request)
            finally:
                self.active.remove(request)
            if isinstance(result, Response):
                break
            request = result  # a middleware wants another in its place
        result.request = result.request or request
        spider = self.crawler.spider
        if told := self.crawler.logformatter.crawled(result.request, result, spider):  # type: ignore[arg-type]  # both are there by now
            log.log(*logformatter_adapter(told), extra={"spider": spider})
        self.signals.send_catch_log(signals.response_received, response=result, request=result.request, spider=spider)
        return result
