"""What becomes of a page, from its request to what it leads to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any, cast

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from archive.capture import Capture
from archive.errors import ArchiveError, StorageError
from archive.references import resolve
from archive.walls import IN_PLACE, Wall
from crawler import traps
from crawler.addresses import AddressRefused, why_refused
from crawler.blocks import FAILED, OF_THE_HOST, TELLING, told
from crawler.capture import evidence
from crawler.config import ConfigError
from crawler.contact import ContactMissing
from crawler.directives import ArchivingRefused
from crawler.discovery import Found
from crawler.downloader import DirectDownloader
from crawler.extractor import Extractor
from crawler.follower import CutOff, Follower
from crawler.frontier import Done, Lead, Listed, Outcome, Page
from crawler.handlers import AddressRefusedError, TlsRefusedError, UnsendableRequestError
from crawler.interruption import HURRY
from crawler.known import ARCHIVED, KnownMiddleware, now
from crawler.leads import Followed, key_of
from crawler.politeness import BUSY, MAX_REST_S, WORTH_ANOTHER_TRY, retry_after_s
from crawler.results import PageResult
from crawler.revisiting.vanished import Vanished
from crawler.robots import RobotsForbidden, RobotsMiddleware
from crawler.session import repeats_itself, session_of

if TYPE_CHECKING:
    from crawler.scheduler import FrontierScheduler
    from crawler.spider import PublicationSpider

log = logging.getLogger(__name__)

REFUSALS = (RobotsForbidden, AddressRefused, AddressRefusedError, ArchivingRefused)
HOPELESS = (TlsRefusedError, UnsendableRequestError)
UNREACHABLE = (CannotResolveHostError, DownloadConnectionRefusedError)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 20  # as browsers do (Fetch standard, HTTP-redirect fetch, step 4)


class Attendant:
    """Attends to the pages of a publication, each whose turn it is, any number beside one another.

    Settings: ``RETRY_TIMES``.
    """

    def __init__(self, crawler: Crawler, spider: PublicationSpider) -> None:
        self.crawler, self.spider = crawler, spider
        self._tries = crawler.settings.getint("RETRY_TIMES") + 1
        self._robots_asked: set[str] = set()
        self._hurried = False
        self._vanished: Vanished | None = None  # until it is first looked for
        crawler.signals.connect(self.hurry, signal=HURRY)

    @property
    def scheduler(self) -> FrontierScheduler:
        assert self.crawler.engine is not None
        return cast("FrontierScheduler", self.crawler.engine.scheduler)

    @property
    def _follower(self) -> Follower:
        follower = self.crawler.get_extension(Follower)
        assert follower is not None, "crawler.follower.Follower is not in EXTENSIONS"
        return follower

    def hurry(self, within_s: float) -> None:  # noqa: ARG002 - the signal's own argument
        """The run is being ended: what is cut from now on says nothing about its site."""
        self._hurried = True

    async def attend(self, page: Page) -> None:
        """Ask for *page*, say what became of it, and enter what it leads to, and then what sitemaps have lost."""
        if page.kind == "sitemap" or (self._vanished is None and self.scheduler.resumed):
            with self.scheduler.more_to_come():
                await self._attend(page)
                await self._look_for_vanished()
        else:
            await self._attend(page)

    async def _attend(self, page: Page) -> None:
        try:
            request = _request(page)
        except ValueError as error:
            self.scheduler.turns.not_asked(page)
            await self.scheduler.finish(page, Done("failed", f"no address: {error}"))
            return
        assert self.crawler.engine is not None
        downloader = cast("DirectDownloader", self.crawler.engine.downloader)
        try:
            response = await downloader.get(request, partial(self.arrived, request=request))
        except Exception as error:  # noqa: BLE001 - whatever a handler or middleware raises, it is what became of the page
            self.scheduler.kept(page)
            await self._failed(request, page, error)
        else:
            self.scheduler.kept(page)
            await self._end(response, page)

    def arrived(self, response: Response, request: Request) -> None:
        """An answer has come, and is still to be kept: what it says of its site counts from now on."""
        page: Page = request.meta["page"]
        self._note_answer(response, request, page)
        self.scheduler.arrived(page, len(response.body))

    async def _end(self, response: Response, page: Page) -> None:
        try:
            await self._fetched(response, page)
        except CutOff:
            self.scheduler.give_back(page)
        except ArchiveError:
            return  # the session is stopping the run; the page is still pending
        except Exception as error:
            log.exception("%s: a bug; the page itself is kept", page.url)
            self._follower.tell_again()
            capture = response.meta.get("capture")
            done = _captured(capture, "failed", f"kept, but met a bug: {error!r}")
            with suppress(ArchiveError):
                await self.scheduler.finish(page, done, response.meta.get("leads", ()))  # others leave them out
                self._tell(page, done, capture)

    async def _fetched(self, response: Response, page: Page) -> None:
        archived = ARCHIVED in response.flags
        if response.meta.get("capture") is None:  # what came of no site, or brought not one byte, is no capture
            self.scheduler.turns.not_asked(page)
            done = Done("failed", "nothing was captured: a middleware answered in place of the site")
            await self.scheduler.finish(page, done)
            self._tell(page, done, None)
            return
        if archived:
            self.scheduler.turns.not_asked(page, before=response.meta.get("archived") is None)
        elif reason := self._worth_another_try(response):
            if self._hurried and response.meta.get("truncated") == "time":
                raise CutOff
            if self._has_tries_left(page) and not response.meta.get("failed_before"):
                await self._postpone(page, retry_after_s(_header(response, b"Retry-After")))
                return
            if response.meta.get("truncated"):
                await self._finish(page, response, "failed", reason)
                return
        if response.status in REDIRECTS:
            await self._finish(page, response, *self._redirected(response, page))
        elif response.status == 304:  # one to a conditional request does not come as far as this
            await self._finish(page, response, "failed", "the server answered 304 without having been asked for it")
        elif response.status >= 500 or response.status in WORTH_ANOTHER_TRY:
            await self._finish(page, response, "failed", f"the server answered {response.status}")
        elif response.status in TELLING and (wall := (await self._follower.follow(response, page)).wall) is not None:
            await self._walled(response, page, wall, Followed("page"))
        elif response.status >= 400:
            outcome: Outcome | None = "failed" if page.kind == "home" else None  # the crawl leads nowhere then
            await self._finish(page, response, outcome, f"the server answered {response.status}")
        else:
            await self._follow(response, page, archived=archived)

    async def _follow(self, response: Response, page: Page, *, archived: bool) -> None:
        followed = await self._follower.follow(response, page)
        response.meta["leads"] = followed.leads
        if followed.form == "unknown" and page.kind not in ("print", "requisite"):
            await self._finish(page, response, "failed", followed.problem)
            return
        if followed.wall is not None and archived and followed.wall.kind in IN_PLACE:
            await self._postpone(page, None)  # what is in the archive is not the page: now the site is asked
            return
        if followed.wall is not None and not archived:
            await self._walled(response, page, followed.wall, followed)
            return
        if followed.form == "page" and not archived:
            self.scheduler.politeness.let_in(page.site)
        if followed.form != "other" and traps.may_be_listing(page.kind, page.url):
            await self.scheduler.show(traps.listing(page.url), followed.shows)
        if followed.hubs:
            await self.scheduler.has_hubs(page, followed.hubs)
        leads = [*await self._announced(page, archived=archived), *followed.leads]
        extract = followed.extract or (followed.form == "page" and await self._was_article(page, archived=archived))
        await self._finish(page, response, None, followed.problem, leads, extract=extract, listed=followed.listed)

    async def _was_article(self, page: Page, *, archived: bool) -> bool:
        """Tell whether an article stood where something else seems to stand now, which is to be looked at then."""
        if archived or page.kind not in ("article", "page"):
            return False
        archive = session_of(self.crawler).archive
        return await asyncio.to_thread(archive.ask_catalog, methodcaller("shown_at", page.url), None) is not None

    async def _walled(self, response: Response, page: Page, wall: Wall, followed: Followed) -> None:
        """End a page in whose place a wall came, or ask for it again when its whole site may be behind one."""
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"walls/{wall.kind}")
        why = told(wall)
        log.info("%s: %s: %s", page.url, why, "; ".join(wall.evidence))
        if wall.kind in OF_THE_HOST:
            self.scheduler.politeness.blocked(page.site, why.replace("its place", "the place of its pages"))
            if self._has_tries_left(page):
                await self._postpone(page, None)
                return
        failed = wall.kind in FAILED or page.kind == "home"
        await self._finish(page, response, "failed" if failed else None, why, followed.leads, extract=followed.extract)

    async def _finish(
        self,
        page: Page,
        response: Response,
        outcome: Outcome | None,
        reason: str | None,
        leads: Sequence[Lead] = (),
        *,
        extract: bool = False,
        listed: Sequence[Listed] = (),
    ) -> None:
        """End *page*, and tell so unless its article is to be read first."""
        capture: Capture = response.meta["capture"]
        why: str | None = response.meta.get("archived")
        if outcome is None:
            outcome = "skipped" if why else "unchanged" if repeats_itself(capture) else "saved"
            reason = why or reason
        extract = extract and self.crawler.get_extension(Extractor) is not None
        done = _captured(capture, outcome, reason, extract=extract)
        await self.scheduler.finish(page, done, leads, listed=listed)
        if not extract:
            self._tell(page, done, capture)

    def _redirected(self, response: Response, page: Page) -> tuple[Outcome | None, str | None, Sequence[Lead]]:
        location = (response.headers.get(b"Location") or b"").decode("utf-8", "replace").strip()
        target = resolve(response.url, location) if location else None
        if target is None:
            return "failed", f"it redirects to {location[:200] or 'nowhere'}", ()
        if page.hops.endswith("R" * MAX_REDIRECTS):
            return "failed", f"more than {MAX_REDIRECTS} redirects", ()
        kind = page.kind if page.kind in ("home", "feed", "sitemap", "requisite", "print") else None
        lead = self.spider.leads.lead(
            Found(target, modified=page.modified), via=page.url, depth=page.depth, hops=page.hops + "R", kind=kind
        )
        if lead is None:
            if page.kind == "home":  # the crawl leads nowhere then
                return "failed", f"it redirects out of the publication, to {target[:200]}", ()
            return None, "it redirects out of the publication", ()
        if lead.key == key_of(page.url, page.kind):
            # To https, to www, to a last slash: one page to the filter of duplicates, but this is where it lies.
            lead = lead._replace(key=lead.url)
        return None, None, (lead,)

    async def _failed(self, request: Request, page: Page, error: Exception) -> None:
        """No answer came, or none was asked for: say why, or try again later."""
        if isinstance(error, (StorageError, ContactMissing)) or self._hurried:
            if isinstance(error, ContactMissing):
                session_of(self.crawler).stop(ConfigError(str(error)), reason="refused")
            self.scheduler.give_back(page)
            return
        reason = str(error).removeprefix(f"{request.url}: ").removeprefix("refused: ") or type(error).__name__
        try:
            if isinstance(error, REFUSALS):
                outcome: Outcome = "refused"
                if not isinstance(error, ArchivingRefused):
                    self.scheduler.turns.not_asked(page)
            else:
                outcome = "failed"
                if isinstance(error, UNREACHABLE):
                    self.scheduler.politeness.troubled(page.site, page.id, reason)
                if not isinstance(error, HOPELESS) and self._has_tries_left(page):
                    await self._postpone(page, None)
                    return
            if isinstance(error, RobotsForbidden):
                about: str | None = request.meta["robots"].get("record")
                await session_of(self.crawler).decision(page.url, evidence(request.meta), about=about)
            capture: Capture | None = request.meta.get("capture")
            done = _captured(capture, outcome, reason)
            await self.scheduler.finish(page, done)
        except ArchiveError:
            return  # the session is stopping the run; the page is still pending
        self._tell(page, done, capture)

    # ---- within

    def _note_answer(self, response: Response, request: Request, page: Page) -> None:
        politeness = self.scheduler.politeness
        rest_s = retry_after_s(_header(response, b"Retry-After"))
        if response.status in BUSY:
            if response.status != 429 and request.meta.get("failed_before"):
                return  # it always fails, which says nothing of its site: most others need not be asked for any more
            at_once = response.status == 429  # it speaks of us, not of the page (RFC 6585, 4)
            politeness.troubled(page.site, page.id, f"it answered {response.status}", at_once=at_once, rest_s=rest_s)
            return
        robots = request.meta.get("robots") or {}
        politeness.answered(
            page.site,
            private=response.ip_address is not None and why_refused(response.ip_address) is not None,
            crawl_delay_s=robots.get("crawl-delay"),
            latency_s=request.meta.get("download_latency"),
        )

    def _worth_another_try(self, response: Response) -> str | None:
        cut = response.meta.get("truncated")
        if cut in ("disconnect", "time"):
            return "the connection broke before the end" if cut == "disconnect" else "not finished in time"
        return f"the server answered {response.status}" if response.status in WORTH_ANOTHER_TRY else None

    def _has_tries_left(self, page: Page) -> bool:
        return page.tries + 1 < self._tries

    async def _postpone(self, page: Page, rest_s: float | None) -> None:
        later_s = self.scheduler.politeness.rest_s * 2**page.tries
        if rest_s is None or rest_s > MAX_REST_S:  # the site is left alone until the next run, which asks at once
            rest_s = 0.0
        await self.scheduler.postpone(page, max(later_s, rest_s), tries=page.tries + 1)

    async def _announced(self, page: Page, *, archived: bool) -> list[Lead]:
        """Return the sitemaps that the robots.txt of the page's site names; each site is looked at once."""
        robots = self.crawler.get_downloader_middleware(RobotsMiddleware)
        if archived and page.kind != "home":  # or a front that rests would hide what its sitemaps tell
            return []
        if page.site in self._robots_asked or robots is None or not self.spider.publication.owns(page.url):
            return []
        try:
            rules = await robots.rules_for(page.url)
        except ArchiveError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a download raises; another page of the site may tell them
            log.debug("%s: the sitemaps of its site are not known: %s", page.url, error)
            return []
        self._robots_asked.add(page.site)
        named = rules.sitemaps or tuple(
            url for guess in self.spider.publication.guesses if (url := resolve(page.url, guess)) is not None
        )
        via = rules.robots_url if rules.sitemaps else page.url
        leads = (self.spider.leads.lead(Found(url), via=via, depth=1, hops="P", kind="sitemap") for url in named)
        return [lead for lead in leads if lead is not None]

    async def _look_for_vanished(self) -> None:
        """Once all sitemaps are read, ask for the articles that they listed before this crawl and list no more."""
        known = self.crawler.get_downloader_middleware(KnownMiddleware)
        if known is None or self._hurried or await known.knows_nothing():
            return
        if self._vanished is None:
            archive = session_of(self.crawler).archive
            self._vanished = Vanished(archive, self._follower, self.spider.leads, self.scheduler.started)
        frontier = self.scheduler.frontier
        try:
            if await asyncio.to_thread(frontier.any_pending, "sitemap"):
                return
            sitemaps = await asyncio.to_thread(frontier.urls, "sitemap")
            if leads := await self._vanished.leads_to(sitemaps, now()):
                await self.scheduler.enter(leads)
        except ArchiveError as error:
            session_of(self.crawler).stop(error)

    def _tell(self, page: Page, done: Done, capture: Capture | None) -> None:
        result = PageResult(url=page.url, final_url=page.url)
        if capture is not None:
            result.placed(capture)
        result.outcome = done.outcome
        if done.outcome == "skipped":
            result.reason = done.reason
        else:
            result.error = done.reason
        self.crawler.signals.send_catch_log(signals.item_scraped, item=result, response=None, spider=self.spider)


def _request(page: Page) -> Request:
    """Return the request for *page*. Raises ``ValueError`` when its address is none."""
    meta: dict[str, Any] = {
        "page": page,
        # Of what is no document Scrapy need not have the body; a feed may come as anything.
        "raw": page.kind not in ("feed", "sitemap"),
        "via": page.via,
        "hops": page.hops,
    }
    if page.tries:
        meta["retry_times"] = page.tries
    return Request(page.url, callback=NO_CALLBACK, meta=meta, dont_filter=True)


def _captured(capture: Capture | None, outcome: Outcome, reason: str | None, *, extract: bool = False) -> Done:
    if capture is None:
        return Done(outcome, reason)
    return Done(outcome, reason, capture.status, capture.record_id, capture.place, extract)


def _header(response: Response, name: bytes) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
