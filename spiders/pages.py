"""One-off archiving: given pages, each with what it needs to be shown again."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from typing import Any

import scrapy
from scrapy import Request
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.capture import Capture
from archive.errors import ArchiveError
from archive.examine import Examination
from archive.requisites import Requisite
from crawler.addresses import AddressRefused
from crawler.examiner import Examiner
from crawler.handlers import AddressRefusedError
from crawler.results import PageResult
from crawler.robots import RobotsForbidden
from crawler.session import session_of

log = logging.getLogger(__name__)

REFUSALS = (RobotsForbidden, AddressRefused, AddressRefusedError)
REFRESHES = 5  # how many pages that only send on to another are followed
NESTING = 4  # how deep style sheets that import style sheets, and frames in frames, are followed


class PagesSpider(scrapy.Spider):
    """Archive *urls*: page, redirects, requisites. Yields one :class:`PageResult` a URL."""

    name = "pages"

    def __init__(self, urls: Iterable[str] | str = (), requisites: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.urls = urls.split() if isinstance(urls, str) else urls
        self.requisites = requisites in (True, "1", "true", "yes")

    async def start(self) -> AsyncIterator[Request]:
        for url in dict.fromkeys(self.urls):
            yield Request(
                url, callback=self.page, errback=self.page_failed, dont_filter=True, meta={"page": url, "raw": True}
            )

    async def page(self, response: Response) -> AsyncIterator[PageResult | Request]:
        """A page has arrived and is on disk: read it, tell its outcome, ask for what it needs."""
        request = response.request
        assert request is not None
        if again := self._again(request):
            yield again
            return
        capture: Capture = response.meta["capture"]
        found = Examination()
        result = PageResult(url=response.meta["page"]).placed(capture)
        known = self._known_title(capture)
        result.outcome = "unchanged" if capture.record_type == "revisit" else "saved"
        if known is None or self.requisites:
            found = await self._examiner().examine(
                response, capture, want_article=known is None, want_requisites=self.requisites
            )
        result.error = found.problem
        if found.article is not None:
            result.title, result.page_kind = found.article.title, found.article.page_kind
            try:
                await session_of(self.crawler).article(found.article)
            except ArchiveError as error:  # the session is stopping the run; the page itself is on disk
                result.error = f"the article could not be kept: {error}"
        result.title = known or result.title
        if result.page_kind != "article" and (onward := self._onward(response, found)):
            yield onward
            return
        if response.status >= 400:
            result.error = result.error or f"the server answered {response.status}"
        elif response.status >= 300 and (location := response.headers.get(b"Location")):
            target = location.decode("latin-1")
            result.error = f"it redirects to {target[:200]}, which cannot be followed"
        if result.truncated:
            result.error = result.error or _CUT[result.truncated]
        yield result
        for needed in self._needed(response, found):
            yield needed

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
        self._count("saved")
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
        hops: str = response.meta.get("hops", "")
        if not found.refresh or len(hops) >= REFRESHES or found.refresh.partition("#")[0] == response.url:
            return None
        meta = {"page": response.meta["page"], "raw": True, "via": response.url, "hops": hops + "R"}
        return Request(found.refresh, callback=self.page, errback=self.page_failed, dont_filter=True, meta=meta)

    def _needed(self, response: Response, found: Examination) -> list[Request]:
        needed = list(found.requisites) if self.requisites else []
        if found.print_version and self.requisites:
            needed.append(Requisite(found.print_version, "print"))
        depth_left = response.meta.get("depth_left", NESTING) - 1
        requests = []
        for requisite in needed:
            try:
                request = Request(
                    requisite.url,
                    callback=self.requisite,
                    errback=self.requisite_failed,
                    priority=-1,  # pages first
                    meta={
                        "kind": requisite.kind,
                        "via": response.url,
                        "hops": response.meta.get("hops", "") + "E",
                        "depth_left": depth_left,
                        "raw": True,
                    },
                )
            except ValueError as error:
                log.info("%s needs %r, which is no address: %s", response.url, requisite.url, error)
                continue
            requests.append(request)
        return requests

    def _known_title(self, capture: Capture) -> str | None:
        """Return the title already extracted from the same bytes of the same URL, when this is a revisit of it."""
        refers_to = capture.refers_to
        if refers_to is None or refers_to.url != capture.url:
            return None
        known = session_of(self.crawler).archive.catalog.article(capture.url, refers_to.captured_at)
        return known[0].title if known else None

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
