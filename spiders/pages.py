"""One-off archiving: given pages, each with what it needs to be shown again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from operator import methodcaller
from typing import Any

import scrapy
from scrapy import Request
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.capture import Capture
from archive.errors import StorageError
from archive.examine import Examination
from archive.requisites import Requisite
from crawler.addresses import AddressRefused
from crawler.capture import hops_from_seed
from crawler.directives import ArchivingRefused
from crawler.examiner import Examiner
from crawler.handlers import AddressRefusedError
from crawler.results import PageResult
from crawler.robots import RobotsForbidden
from crawler.session import repeats_itself, session_of

log = logging.getLogger(__name__)

REFUSALS = (RobotsForbidden, AddressRefused, AddressRefusedError, ArchivingRefused)
REFRESHES = 5  # how many pages that only send on to another are followed
NESTING = 4  # how deep style sheets that import style sheets, and frames in frames, are followed


class PagesSpider(scrapy.Spider):
    """Archive *urls*: page, redirects, requisites. Yields one :class:`PageResult` a URL."""

    name = "pages"

    def __init__(self, urls: Iterable[str] | str = (), requisites: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.urls = urls.split() if isinstance(urls, str) else urls
        self.requisites = requisites in (True, "1", "true", "yes")

    async def start(self) -> AsyncIterator[Request | PageResult]:
        for url in dict.fromkeys(self.urls):
            request = self._asked(url, self.page, self.page_failed, {"page": url}, dont_filter=True)
            yield request or PageResult(url=url, error="not an address that can be asked for")

    async def page(self, response: Response) -> AsyncIterator[PageResult | Request]:
        """A page has arrived and is on disk: read it, tell its outcome, ask for what it needs."""
        request = response.request
        assert request is not None
        if again := self._again(request):
            yield again
            return
        result = PageResult(url=response.meta["page"]).placed(response.meta["capture"])
        found = Examination()
        try:
            found = await self._read(response, result)
        except Exception as error:
            log.debug("%s", response.url, exc_info=True)
            result.outcome = "failed"
            result.error = f"kept, but could not be read: {error or type(error).__name__}"
        if onward := self._onward(response, found):
            yield onward
            return
        yield result
        for needed in self._needed(response, found):
            yield needed

    async def _read(self, response: Response, result: PageResult) -> Examination:
        """Have the page examined and its article kept; fill in *result*."""
        capture: Capture = response.meta["capture"]
        known = await self._known(capture)
        result.outcome = "unchanged" if repeats_itself(capture) else "saved"
        found = Examination()
        if known is None or self.requisites:
            found = await self._examiner().examine(
                response,
                capture,
                want_article=known is None,
                want_requisites=self.requisites,
                learning=session_of(self.crawler).archive.learning,
            )
        result.error = found.problem
        if known is not None:
            result.title, result.page_kind = known
            found = replace(found, page_kind=result.page_kind)
        elif found.article is not None:
            result.title, result.page_kind = found.article.title, found.article.page_kind
            try:
                await session_of(self.crawler).article(found.article)
            except StorageError as error:  # the session is stopping the run; the page itself is on disk
                result.error = f"the article could not be kept: {error}"
        if response.status >= 400:
            result.error = result.error or f"the server answered {response.status}"
        elif response.status >= 300 and (location := response.headers.get(b"Location")):
            result.error = f"it redirects to {location[:200].decode('latin-1')}, which cannot be followed"
        if result.truncated:
            result.error = result.error or _CUT[result.truncated]
        return found

    def page_failed(self, failure: Failure) -> PageResult:
        """No answer came, or it was refused: tell why."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy sets it
        error = failure.value
        result = PageResult(url=request.meta["page"], final_url=request.url)
        capture: Capture | None = request.meta.get("capture")
        if capture is not None:
            result.placed(capture)
        result.outcome = "refused" if isinstance(error, REFUSALS) else "failed"
        result.error = str(error).removeprefix(f"{request.url}: ") or type(error).__name__
        return result

    async def requisite(self, response: Response) -> AsyncIterator[Request]:
        """Something a page needs has arrived; a style sheet or a frame may need more."""
        request = response.request
        assert request is not None
        if again := self._again(request):
            yield again
            return
        self._count("unchanged" if repeats_itself(response.meta["capture"]) else "saved")
        if response.meta["kind"] in ("stylesheet", "frame") and response.meta["depth_left"] > 0:
            found = await self._examiner().examine(
                response, response.meta["capture"], want_article=False, want_requisites=True
            )
            if found.problem:
                log.info("%s, needed by %s: %s", response.url, response.meta.get("via"), found.problem)
            for needed in self._needed(response, found):
                yield needed

    def requisite_failed(self, failure: Failure) -> None:
        """A missing requisite is counted and told; the page itself stands."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy sets it
        refused = isinstance(failure.value, IgnoreRequest)
        self._count("refused" if refused else "failed")
        log.info("%s, needed by %s: %s", request.url, request.meta.get("via"), failure.value)

    def _again(self, request: Request) -> Request | None:
        """Return the request to make once more when its answer was cut; the cut one is kept all the same."""
        if request.meta.get("truncated") in ("disconnect", "time"):
            return get_retry_request(request, spider=self, reason="truncated", max_retry_times=1)
        return None

    def _onward(self, response: Response, found: Examination) -> Request | None:
        """Return the request for where a page that is no article of its own sends its readers by a meta refresh."""
        followed: int = response.meta.get("refreshes", 0)
        if not found.refresh or found.page_kind in (None, "article") or followed >= REFRESHES:
            return None
        if found.refresh.partition("#")[0] == response.url:
            return None
        meta = {
            "page": response.meta["page"],
            "via": response.url,
            "hops": hops_from_seed(response.meta) + "R",
            "refreshes": followed + 1,
        }
        return self._asked(found.refresh, self.page, self.page_failed, meta, dont_filter=True)

    def _needed(self, response: Response, found: Examination) -> list[Request]:
        """Return the requests for what the page needs to be shown again, pages first in the queue."""
        if not self.requisites:
            return []
        needed = list(found.requisites)
        if found.print_version:
            needed.append(Requisite(found.print_version, "print"))
        common = {
            "via": response.url,
            "hops": hops_from_seed(response.meta) + "E",
            "depth_left": response.meta.get("depth_left", NESTING) - 1,
        }
        requests = (
            self._asked(item.url, self.requisite, self.requisite_failed, {**common, "kind": item.kind}, priority=-1)
            for item in needed
        )
        return [request for request in requests if request is not None]

    def _asked(
        self, url: str, callback: Callable[..., Any], errback: Callable[..., Any], meta: dict[str, Any], **more: Any
    ) -> Request | None:
        """Return a request whose body Scrapy leaves alone; None when *url* is no address."""
        try:
            return Request(url, callback=callback, errback=errback, meta={**meta, "raw": True}, **more)
        except ValueError as error:
            log.info("%r, needed by %s, is no address: %s", url, meta.get("via"), error)
            return None

    async def _known(self, capture: Capture) -> tuple[str | None, str] | None:
        """Return title and page kind when *capture* repeats an earlier one of the same URL that was read then."""
        refers_to = capture.refers_to
        if refers_to is None or refers_to.record_id is None or refers_to.url != capture.url:
            return None
        archive = session_of(self.crawler).archive
        use = methodcaller("extracted", refers_to.record_id)
        found: tuple[str | None, str] | None = await asyncio.to_thread(archive.ask_catalog, use, None)
        return found

    def _examiner(self) -> Examiner:
        examiner = self.crawler.get_extension(Examiner)
        assert examiner is not None, "crawler.examiner.Examiner is not in EXTENSIONS"
        return examiner

    def _count(self, outcome: str) -> None:
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"requisites/{outcome}")


_CUT = {
    "disconnect": "the connection broke before the end; what came is kept",
    "length": "longer than the limit; the beginning is kept",
    "time": "not finished in time; what came is kept",
}
