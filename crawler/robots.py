"""The Robots Exclusion Protocol (RFC 9309): what a site allows, decided before a page is fetched, and kept as evidence.

A robots.txt is fetched like any page, so it is captured too; :mod:`crawler.robotstxt` says what it means.

    RobotsForbidden   robots.txt forbids the page, or could not be reached: the page is not fetched
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from archive.codings import decode_content
from archive.errors import ContentUndecodable
from crawler import config
from crawler.addresses import AddressRefused, ResolveFailed, canonical_host
from crawler.config import RobotsPolicy
from crawler.robotstxt import AGENT, PARSED_BYTES, REDIRECTS, RobotsDecision, RobotsRules, absolute, rules_from

__all__ = ["RobotsDecision", "RobotsForbidden", "RobotsMiddleware", "RobotsRules", "rules_from"]

log = logging.getLogger(__name__)

MORE_TRIES = 2  # a site that is being deployed is back in a second or two
TIMEOUT_S = 30.0  # for a robots.txt, redirects included
LEAST_TIMEOUT_S = 1.0  # for what is left of it when the redirects took long
MAX_SITES = 10_000  # whose rules are held at a time
LARGE_BYTES = 1 << 16  # a robots.txt that takes a while to be read, so not on the event loop

_CANNOT_FETCH = (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
    IgnoreRequest,
    AddressRefused,
    ResolveFailed,
)

_NOBODY_THERE = (CannotResolveHostError, DownloadConnectionRefusedError)


class RobotsForbidden(IgnoreRequest):
    """robots.txt forbids the page, or could not be reached. Not fetched."""

    def __init__(self, url: str, decision: RobotsDecision) -> None:
        super().__init__(f"{url}: {decision.reason}")
        self.url, self.decision = url, decision


class RobotsMiddleware:
    """Asks robots.txt before each request, and notes the decision in ``request.meta["robots"]``.

    ``NEWSWARC_ROBOTS``: ``obey`` drops a forbidden request with :class:`RobotsForbidden`; ``warn`` says so once a host
    and goes on; ``ignore`` fetches no robots.txt. ``NEWSWARC_ROBOTS_AGENT`` is the product token rules are sought for.
    Statistics: ``robots/allowed``, ``robots/forbidden``, ``robots/unreachable``, ``robots/ignored``.

    All pages of a site wait for its robots.txt, so that one is fetched within 30 seconds, redirects included. Where it
    would forbid them, a server's passing error (5xx) is asked for again, twice, after ``NEWSWARC_REST_S`` and twice as
    long; what is unreachable then is not tried again for ten minutes.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.policy = _policy(crawler.settings.get("NEWSWARC_ROBOTS", "obey"))
        self.agent: str = crawler.settings.get("NEWSWARC_ROBOTS_AGENT", AGENT)
        self._timeout_s = min(TIMEOUT_S, float(crawler.settings.get("DOWNLOAD_TIMEOUT") or TIMEOUT_S))
        self._rest_s = float(crawler.settings.get("NEWSWARC_REST_S") or config.current().rest_s)
        self._sites: dict[str, asyncio.Task[RobotsRules]] = {}  # by origin, the latest fetched last
        self._deciding = asyncio.Lock()
        self._warned: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if request.meta.get("robots_fetch") or not request.url.lower().startswith(("http:", "https:")):
            return
        if self.policy == "ignore":
            request.meta["robots"] = {"decision": "ignored", "policy": self.policy}
            self._count("ignored")
            return
        rules = await self.rules_for(request.url)
        decision = await self._decide(rules, request.url)
        request.meta["robots"] = {
            "decision": "allowed" if decision.allowed else "forbidden",
            "policy": self.policy,
            "rule": decision.rule,
            "reason": decision.reason,
            "url": decision.robots_url,
            "status": decision.status,
            "fetched": decision.fetched_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "record": rules.record,
            "crawl-delay": rules.crawl_delay_s(self.agent),
        }
        if decision.allowed:
            self._count("allowed")
            return
        self._count("unreachable" if rules.outcome == "unreachable" else "forbidden")
        if self.policy == "obey":
            raise RobotsForbidden(request.url, decision)
        if decision.status is not None:
            self._warn(request.url, decision.reason)

    async def _decide(self, rules: RobotsRules, url: str) -> RobotsDecision:
        if not rules.costly:
            return rules.decide(url, self.agent)
        async with self._deciding:  # one at a time: what else runs in threads is not to wait for it
            return await asyncio.to_thread(rules.decide, url, self.agent)

    def process_response(self, request: Request, response: Response) -> Response:
        """A site whose robots.txt was out of reach is seldom there itself: only now is there anything to warn of."""
        evidence = request.meta.get("robots") or {}
        if self.policy == "warn" and evidence.get("decision") == "forbidden":
            self._warn(request.url, evidence["reason"])
        return response

    def _warn(self, url: str, reason: str) -> None:
        if (origin := _origin(url)) not in self._warned:
            self._warned.add(origin)
            log.warning("%s: %s; fetched all the same (--robots obey would not)", url, reason)

    async def rules_for(self, url: str) -> RobotsRules:
        """Return the rules of *url*'s site, fetching its robots.txt when there is no fresh copy; one fetch at a time.

        Raises what the download handler raises when the site itself stands at a refused address, or nobody is there,
        ``ResolveFailed`` for a URL without a host, and whatever keeps the robots.txt from being archived.
        """
        origin = _origin(url)
        task = self._sites.get(origin)
        earlier = task.result() if task and task.done() and not task.cancelled() and not task.exception() else None
        if task is None or (task.done() and (earlier is None or earlier.expires_at <= datetime.now(UTC))):
            self._sites.pop(origin, None)
            self._make_room()
            task = self._sites[origin] = asyncio.create_task(self._fetch(f"{origin}/robots.txt", earlier))
        return await asyncio.shield(task)

    def known(self) -> Iterator[tuple[str, RobotsRules]]:
        """Yield the sites whose rules are known now, and these."""
        for origin, task in self._sites.items():
            if task.done() and not task.cancelled() and task.exception() is None:
                yield origin, task.result()

    def _make_room(self) -> None:
        """When there are too many, forget the tenth of them that was fetched longest ago."""
        if len(self._sites) >= MAX_SITES:
            done = [origin for origin, task in self._sites.items() if task.done()]
            for origin in done[: MAX_SITES // 10]:
                del self._sites[origin]

    async def _fetch(self, robots_url: str, earlier: RobotsRules | None) -> RobotsRules:
        rules = await self._fetch_fresh(robots_url)
        for tries in range(MORE_TRIES if self.policy == "obey" else 0):
            if rules.outcome != "unreachable" or rules.status is None or rules.status == 429:
                break
            await asyncio.sleep(self._rest_s * 2**tries)
            rules = await self._fetch_fresh(robots_url)
        if rules.outcome == "unreachable":
            log.debug("%s: %s", robots_url, rules.reason)
            if earlier is not None and earlier.outcome != "unreachable":
                # RFC 9309, 2.4: an older copy may serve while robots.txt is unreachable.
                return replace(earlier, expires_at=rules.expires_at)
        return rules

    async def _fetch_fresh(self, robots_url: str) -> RobotsRules:
        url, seen, fetched_at = robots_url, {robots_url}, datetime.now(UTC)
        ends_at = asyncio.get_running_loop().time() + self._timeout_s
        for hop in range(REDIRECTS + 1):
            try:
                response = await self._download(url, ends_at, via=robots_url if hop else None)
            except _CANNOT_FETCH as exc:
                if hop == 0 and (_is_refusal(exc) or isinstance(exc, _NOBODY_THERE)):
                    raise  # the page lies at the same address: that is what is wrong with it, not its robots.txt
                return rules_from(None, None, str(exc) or type(exc).__name__, robots_url=url, fetched_at=fetched_at)
            location = response.headers.get(b"Location")
            target = absolute(url, location.decode("utf-8", "replace").strip()) if location else None
            if not 300 <= response.status < 400 or target is None or target in seen:
                break
            if hop < REDIRECTS:
                url = target
                seen.add(url)
        body, error = _body(response)
        read = partial(rules_from, response.status, body, error, robots_url=url, fetched_at=fetched_at)
        rules = await asyncio.to_thread(read) if body and len(body) > LARGE_BYTES else read()
        capture = response.request.meta.get("capture") if response.request else None
        return replace(rules, record=getattr(capture, "record_id", None))

    async def _download(self, url: str, ends_at: float, via: str | None) -> Response:
        meta = {
            "robots_fetch": True,
            "dont_redirect": True,
            "dont_retry": True,
            "handle_httpstatus_all": True,
            "download_timeout": max(ends_at - asyncio.get_running_loop().time(), LEAST_TIMEOUT_S),
            "hops": "P",
        }
        if via:
            meta |= {"via": via, "hops": "PR"}
        engine = self.crawler.engine
        assert engine is not None  # the engine is what called this middleware
        return await engine.download_async(Request(url, callback=NO_CALLBACK, priority=1000, meta=meta))

    def _count(self, what: str) -> None:
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"robots/{what}")


def _policy(value: object) -> RobotsPolicy:
    if value == "obey" or value == "warn" or value == "ignore":  # noqa: PLR1714 - the type checker follows this form
        return value
    raise ValueError(f"NEWSWARC_ROBOTS is {value!r}; it may be obey, warn or ignore")


def _origin(url: str) -> str:
    return _origin_of("/".join(url.split("/", 3)[:3]))


@functools.lru_cache(maxsize=1024)
def _origin_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ResolveFailed(url, f"not a URL: {exc}") from exc
    host = canonical_host(parts.hostname or "")
    default = 443 if parts.scheme == "https" else 80
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, default} else "")


def _is_refusal(exc: BaseException | None) -> bool:
    while exc is not None and not isinstance(exc, AddressRefused):
        exc = exc.__cause__
    return exc is not None


def _body(response: Response) -> tuple[bytes | None, str | None]:
    """Return the body without content codings, and what is wrong with it if something is."""
    cut = response.request.meta.get("truncated") if response.request else None
    coding = (response.headers.get(b"Content-Encoding") or b"").decode("latin-1")
    try:
        body = decode_content(response.body, coding, limit_bytes=PARSED_BYTES * 2)
    except ContentUndecodable as exc:
        body = exc.partial
        if cut is None and len(body) < PARSED_BYTES:
            return None, f"its body cannot be decoded: {exc}"
    if cut and len(body) < PARSED_BYTES:
        # The rule that forbids the page may stand in the part that never came.
        return None, f"only a part of it came ({cut})"
    return body, None
