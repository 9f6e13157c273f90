"""When a capture is written: at the downloader's edge, before anything above it may touch or drop a response."""

from __future__ import annotations

from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from archive.capture import Capture
from archive.exchange import Exchange
from crawler.session import ArchiveSession, session_of


class CaptureMiddleware:
    """Archive every exchange as it leaves the download handler: each hop, retry, error page and robots.txt.

    It stands nearest the downloader, and it is awaited: a capture that cannot be kept fails its request, so that
    nothing goes on unarchived. ``request.meta["capture"]`` then holds the :class:`~archive.capture.Capture`.
    """

    def __init__(self, session: ArchiveSession) -> None:
        self.session = session

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(session_of(crawler))

    async def process_request(self, request: Request) -> None:
        """Forget what an earlier hop or try left behind."""
        request.meta.pop("capture", None)

    async def process_response(self, request: Request, response: Response) -> Response:
        exchange: Exchange = request.meta.pop("exchange")
        request.meta["truncated"] = exchange.truncated
        request.meta["capture"] = await self._keep(exchange, request)
        return response

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """Keep what came before the connection failed: a request is evidence even when no answer came."""
        exchange: Exchange | None = request.meta.pop("exchange", None)
        if exchange is not None and exchange.request:
            request.meta["truncated"] = exchange.truncated
            request.meta["capture"] = await self._keep(exchange, request, error=str(exception))

    async def _keep(self, exchange: Exchange, request: Request, *, error: str | None = None) -> Capture | None:
        if exchange.forerunner is not None:
            lost = "the kept connection was dead; the request was sent once more"
            await self.session.capture(exchange.forerunner, evidence(request.meta, error=lost))
        return await self.session.capture(exchange, evidence(request.meta, error=error))


def evidence(meta: dict[str, Any], *, error: str | None = None) -> list[tuple[str, str]]:
    """Return the pairs of the exchange's ``metadata`` record that only the crawler knows.

    ``via`` and ``hopsFromSeed`` are the WARC vocabulary (1.1, annex B, after Heritrix: ``L`` link, ``R`` redirect,
    ``E`` embedded, ``P`` prerequisite); then the robots decision, the number of the retry, and what went wrong.
    """
    redirects: list[str] = meta.get("redirect_urls", [])
    pairs = [
        ("via", redirects[-1] if redirects else meta.get("via")),
        ("hopsFromSeed", meta.get("hops", "") + "R" * len(redirects)),
        ("retry", meta.get("retry_times")),
        *((f"robots-{name}", value) for name, value in (meta.get("robots") or {}).items()),
        ("error", error),
    ]
    return [(name, str(value)) for name, value in pairs if value is not None and value != ""]
