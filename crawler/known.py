"""Pages that the archive holds already: they are read from it, not asked for again.

An article that was captured by an earlier crawl is *skipped*, unless a sitemap or feed says that it has changed since,
or it is a live page, which goes on changing under its address. Its links are followed all the same, from the archive,
for they may lead to pages that are not there yet. A page that this very crawl captured, before it was killed and could
note so, counts as its own.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from archive.archive import Archive
from archive.capture import Capture
from archive.catalog import Catalog
from archive.errors import ArchiveError
from archive.reference import Payload, payload_of
from archive.walls import IN_PLACE
from crawler.session import ArchiveSession, session_of

if TYPE_CHECKING:
    from crawler.frontier import Page
    from crawler.scheduler import FrontierScheduler

ARCHIVED = "archived"  # the flag of a response that comes from the archive
LASTING = frozenset({"article", "print", "requisite"})  # kinds of page that are asked for once
STILL_LIVE = timedelta(days=3)  # since a live page last showed something else; some rest over a weekend
LISTED_AS_ARTICLE = frozenset({"article", "live", "gallery"})


class KnownMiddleware:
    """Answers from the archive what need not be asked for. ``NEWSWARC_RECRAWL`` turns it off for earlier crawls' pages.

    ``request.meta["archived"]`` says why a page of an earlier crawl was not asked for; ``keep_whole``, that its capture
    cannot be read, so that no revisit may refer to it.
    """

    def __init__(self, crawler: Crawler, session: ArchiveSession) -> None:
        self.crawler, self.archive = crawler, session.archive
        self.recrawl = crawler.settings.getbool("NEWSWARC_RECRAWL")
        self._nothing_known: bool | None = None  # until it is looked up

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, session_of(crawler))

    async def process_request(self, request: Request) -> Response | None:
        page: Page | None = request.meta.get("page")
        if page is None or page.tries:  # what came for it before was not what was asked for
            return None
        scheduler = cast("FrontierScheduler", cast("Any", self.crawler.engine).scheduler)
        if self._nothing_known is None:
            self._nothing_known = not scheduler.resumed and bool(
                await asyncio.to_thread(self.archive.ask_catalog, Catalog.is_empty, False)
            )
        if self._nothing_known:
            return None
        try:
            found = await asyncio.to_thread(_look_up, self.archive, page, scheduler.started, self.recrawl)
        except ArchiveError:  # it cannot be read: it is fetched again, and no revisit may refer to it
            request.meta["keep_whole"] = True
            return None
        if found is None:
            return None
        capture, payload, why = found
        request.meta["capture"] = capture
        request.meta["truncated"] = None
        request.meta["archived"] = why
        headers = {"Content-Type": payload.content_type, "Content-Encoding": payload.content_encoding}
        return Response(
            request.url,
            status=capture.status or 200,
            headers={name: value for name, value in headers.items() if value},
            body=payload.body,
            flags=[ARCHIVED],
            request=request,
        )


def _look_up(
    archive: Archive, page: Page, started: datetime, recrawl: bool
) -> tuple[Capture, Payload, str | None] | None:
    capture = archive.ask_catalog(methodcaller("latest", page.url, status=200), None)
    if capture is None or (capture.truncated and capture.record_type != "revisit"):
        return None
    why = None
    if capture.captured_at < started:
        if recrawl or not _lasts(archive, page, capture) or _changed(page, capture):
            return None
        why = f"archived already, on {capture.captured_at:%Y-%m-%d}"
    return capture, payload_of(archive.read(archive.written_place(capture))), why


def _lasts(archive: Archive, page: Page, capture: Capture) -> bool:
    if page.kind not in (*LASTING, "page"):
        return False
    known = archive.ask_catalog(methodcaller("extracted", capture.record_id), None)
    if known is not None and known[1] in IN_PLACE:
        return False  # the article is still to be had
    if known is not None and known[1] == "live":
        original = capture.refers_to.captured_at if capture.refers_to else None
        return datetime.now(UTC) - (original or capture.captured_at) > STILL_LIVE
    return page.kind in LASTING or (known is not None and known[1] in LISTED_AS_ARTICLE)


def _changed(page: Page, capture: Capture) -> bool:
    """Tell whether a sitemap or feed says that the page is newer than its capture; a day counts from its end."""
    if page.modified is None:
        return False
    try:
        at = datetime.fromisoformat(page.modified)
    except ValueError:
        return False
    if at.tzinfo is None:
        return at.date() >= capture.captured_at.date()
    return at > capture.captured_at
