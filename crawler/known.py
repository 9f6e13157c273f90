"""Pages that the archive holds already: they are read from it, or asked for again when they may have changed.

:mod:`crawler.revisiting` decides which. A page that is not asked for is *skipped*; its links are followed all the same,
from the archive, for they may lead to pages that are not there yet. A page that this very crawl captured, before it was
killed and could note so, counts as its own. A server that answers that nothing has changed is believed, when it was
asked: the page is then followed as the archive has it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from archive.catalog import Catalog
from archive.errors import ArchiveError
from archive.reference import Payload
from crawler import config
from crawler.revisiting.conditions import Shown, shown
from crawler.revisiting.deciding import Known, Revisits
from crawler.revisiting.ladder import Ladder
from crawler.session import ArchiveSession, session_of

if TYPE_CHECKING:
    from crawler.frontier import Page
    from crawler.scheduler import FrontierScheduler
    from crawler.spider import PublicationSpider

ARCHIVED = "archived"  # the flag of a response that comes from the archive
NOT_MODIFIED = 304


class KnownMiddleware:
    """Answers from the archive what need not be asked for, and asks for the rest as cheaply as servers let it.

    Settings: ``NEWSWARC_LADDER``; ``NEWSWARC_RECRAWL`` turns it off for pages of earlier crawls.

    ``request.meta["archived"]`` says why a page of an earlier crawl was not asked for, ``"revisit"`` why it was;
    ``"failed_before"``, that all an earlier crawl got was an error of the server; ``"keep_whole"``, that its capture
    cannot be read, so that no revisit may refer to it; ``"validated"`` is what the server was asked about.
    """

    def __init__(self, crawler: Crawler, session: ArchiveSession) -> None:
        self.crawler, self.archive = crawler, session.archive
        self.ladder = ladder_of(crawler)
        self.recrawl = crawler.settings.getbool("NEWSWARC_RECRAWL")
        self._nothing_known: bool | None = None  # until it is looked up

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, session_of(crawler))

    async def process_request(self, request: Request) -> Response | None:
        page: Page | None = request.meta.get("page")
        if page is None or page.tries:  # what came for it before was not what was asked for
            return None
        if await self.knows_nothing():
            return None
        try:
            found = await asyncio.to_thread(_look_up, self._revisits(), page)
        except ArchiveError:  # it cannot be read: it is fetched again, and no revisit may refer to it
            request.meta["keep_whole"] = True
            return None
        if isinstance(found, bool):
            request.meta["failed_before"] = found
            return None
        known, content = found
        if known.ask:
            request.meta["revisit"] = known.why
            if content is not None and content.conditions:
                request.meta["validated"] = content.payload
                request.headers.update(content.conditions)
            return None
        assert content is not None
        request.meta["capture"] = known.shown
        request.meta["truncated"] = None
        request.meta["archived"] = known.why
        response = _response(request, content.payload, known.shown.status or 200, [ARCHIVED])
        if known.shown.redirect:
            response.headers["Location"] = known.shown.redirect
        return response

    async def process_response(self, request: Request, response: Response) -> Response:
        """Put what the archive has in the place of an answer that it is still the same."""
        payload: Payload | None = request.meta.pop("validated", None)
        if payload is None or response.status != NOT_MODIFIED:
            return response
        return _response(request, payload, 200, [])

    async def knows_nothing(self) -> bool:
        """Tell whether the archive was empty when the crawl began."""
        if self._nothing_known is None:
            self._nothing_known = not self._scheduler.resumed and bool(
                await asyncio.to_thread(self.archive.ask_catalog, Catalog.is_empty, False)
            )
        return self._nothing_known

    @property
    def _scheduler(self) -> FrontierScheduler:
        return cast("FrontierScheduler", cast("Any", self.crawler.engine).scheduler)

    def _revisits(self) -> Revisits:
        spider = cast("PublicationSpider", self.crawler.spider)
        return Revisits(
            self.archive,
            spider.publication,
            self.ladder,
            self._scheduler.started,
            by_hand=not getattr(spider, "job", None),
            recrawl=self.recrawl,
        )


def now() -> datetime:
    return datetime.now(UTC)


def ladder_of(crawler: Crawler) -> Ladder:
    """Return the ladder of this crawl. Raises ``ConfigError`` when it cannot be read."""
    text = crawler.settings.get("NEWSWARC_LADDER")
    try:
        return Ladder.parsed(config.current().ladder if text is None else str(text))
    except ValueError as error:
        raise config.ConfigError(f"NEWSWARC_LADDER: {error}") from error


def _look_up(revisits: Revisits, page: Page) -> tuple[Known, Shown | None] | bool:
    """Return what the archive has of *page*; where it has nothing, whether it failed before."""
    known = revisits.known(page, now())
    if known is None:
        return revisits.failed_before(page)
    if known.ask and not known.conditional:
        return known, None
    return known, shown(revisits.archive, known.shown, conditional=known.ask)


def _response(request: Request, payload: Payload, status: int, flags: list[str]) -> Response:
    headers = {"Content-Type": payload.content_type, "Content-Encoding": payload.content_encoding}
    return Response(
        request.url,
        status=status,
        headers={name: value for name, value in headers.items() if value},
        body=payload.body,
        flags=flags,
        request=request,
    )
