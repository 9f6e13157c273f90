"""When a capture is written: at the downloader's edge, before anything above it may touch or drop a response."""

from __future__ import annotations

from typing import Any, Self, get_args

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from archive.capture import Capture
from archive.directives import forbids_archiving
from archive.errors import StorageError
from archive.exchange import Exchange
from crawler import config
from crawler.config import NoarchivePolicy
from crawler.directives import RECORDED_AS, ArchivingRefused, directives_of, without_body
from crawler.session import ArchiveSession, session_of


class CaptureMiddleware:
    """Archive every exchange as it leaves the download handler: each hop, retry, error page and robots.txt.

    It stands nearest the downloader, and it is awaited: a capture that cannot be kept fails its request, so that
    nothing goes on unarchived. ``request.meta["capture"]`` then holds the :class:`~archive.capture.Capture`.

    ``NEWSWARC_NOARCHIVE``: ``record`` keeps what asks not to be archived, and says that it does; ``obey`` keeps of its
    answer the head alone, and ends its request with :class:`~crawler.directives.ArchivingRefused`.
    """

    def __init__(self, session: ArchiveSession, noarchive: NoarchivePolicy = "record") -> None:
        self.session, self.noarchive = session, noarchive

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        policy = crawler.settings.get("NEWSWARC_NOARCHIVE") or config.current().noarchive
        if policy not in get_args(NoarchivePolicy):
            raise ValueError(f"NEWSWARC_NOARCHIVE is {policy!r}; it may be {' or '.join(get_args(NoarchivePolicy))}")
        return cls(session_of(crawler), policy)

    async def process_request(self, request: Request) -> None:
        """Forget what an earlier hop or try left behind."""
        request.meta.pop("capture", None)
        request.meta.pop("directives", None)

    async def process_response(self, request: Request, response: Response) -> Response:
        exchange: Exchange | None = request.meta.pop("exchange", None)
        if exchange is None:  # a middleware above answered by itself: nothing crossed the wire
            return response
        directives = directives_of(exchange)
        request.meta["directives"] = directives
        refused = self.noarchive == "obey" and forbids_archiving(directives) and _is_page(request)
        if refused:
            exchange = without_body(exchange)
        request.meta["truncated"] = exchange.truncated
        request.meta["capture"] = await self._keep(exchange, request)
        if refused:
            raise ArchivingRefused(request.url, directives)
        return response

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """Keep what came before the connection failed: a request is evidence even when no answer came.

        When the failure is that there was no room for what came, the crawl is stopped.
        """
        exchange: Exchange | None = request.meta.pop("exchange", None)
        if isinstance(exception, StorageError):
            self.session.stop(exception)
            if exchange is not None:
                exchange.close()
        elif exchange is not None:
            request.meta["truncated"] = exchange.truncated
            request.meta["capture"] = await self._keep(exchange, request, error=str(exception))

    async def _keep(self, exchange: Exchange, request: Request, *, error: str | None = None) -> Capture | None:
        """Archive what was sent in vain on a dead connection, then *exchange*, if it came to be sent at all."""
        if exchange.forerunner is not None:
            then = "the request was sent once more" if exchange.request else error
            lost = evidence(request.meta, error=f"the kept connection was dead; {then}")
            try:
                await self.session.capture(exchange.forerunner, lost)
            except StorageError:
                exchange.close()
                raise
        if not exchange.request:
            exchange.close()
            return None
        whole = bool(request.meta.get("keep_whole"))
        return await self.session.capture(exchange, evidence(request.meta, error=error), whole=whole)


def _is_page(request: Request) -> bool:
    """Whether it is one for readers: robots.txt, feeds and sitemaps say how to crawl, and are kept."""
    page = request.meta.get("page")
    return not request.meta.get("robots_fetch") and getattr(page, "kind", None) not in ("feed", "sitemap")


def hops_from_seed(meta: dict[str, Any]) -> str:
    """Return the path of a request from its seed: the hops it was made with, and one ``R`` a redirect since."""
    return str(meta.get("hops", "")) + "R" * len(meta.get("redirect_urls", ()))


def evidence(meta: dict[str, Any], *, error: str | None = None) -> list[tuple[str, str]]:
    """Return the pairs of the exchange's ``metadata`` record that only the crawler knows.

    ``via`` and ``hopsFromSeed`` are the WARC vocabulary (1.1, annex B, after Heritrix: ``L`` link, ``R`` redirect,
    ``E`` embedded, ``P`` prerequisite, ``M`` manifest, as an index of sitemaps); then the robots decision, what the
    page itself asks of robots, the number of the retry, why a known page is asked for again, and what went wrong.
    """
    redirects: list[str] = meta.get("redirect_urls", [])
    pairs = [
        ("via", redirects[-1] if redirects else meta.get("via")),
        ("hopsFromSeed", hops_from_seed(meta)),
        ("retry", meta.get("retry_times")),
        ("revisit", meta.get("revisit")),
        *((f"robots-{name}", value) for name, value in (meta.get("robots") or {}).items()),
        (RECORDED_AS, "; ".join(meta.get("directives") or ())),
        ("error", error),
    ]
    return [(name, str(value)) for name, value in pairs if value is not None and value != ""]
