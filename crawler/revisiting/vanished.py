"""Articles that a sitemap used to list and lists no more: a hint that they are gone, and the only one there is.

A sitemap that was fetched by this crawl, and is not what it was, is read beside its capture before this crawl. What it
has lost, and no other sitemap of the site lists now, is asked for once: by the next crawl the sitemap of this one is
the earlier one. Feeds and news sitemaps are windows, and lose what is no longer new.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from operator import methodcaller
from typing import TYPE_CHECKING

from archive.archive import Archive
from archive.capture import Capture, iso
from archive.catalog.identity import normalised
from archive.errors import ArchiveError
from crawler.discovery import Found
from crawler.following import Listed
from crawler.frontier import Lead
from crawler.leads import Leads
from crawler.revisiting.conditions import shown

if TYPE_CHECKING:
    from crawler.follower import Follower

log = logging.getLogger(__name__)

MOST_ASKED = 1000  # of one crawl; a site that moves all its addresses would have us ask for each
LOOKS = 24


class Vanished:
    """Looks for what sitemaps list no more, for one crawl that began at *started*."""

    def __init__(self, archive: Archive, follower: Follower, leads: Leads, started: datetime) -> None:
        self.archive, self.follower, self.leads, self.started = archive, follower, leads, started
        self._compared: set[str] = set()  # sitemaps

    async def leads_to(self, sitemaps: Iterable[str], now: datetime) -> list[Lead]:
        """Return leads to what is missing from the *sitemaps* of this crawl, all of which have been looked at."""
        lost: dict[str, tuple[str, str]] = {}  # by normalised address: the address, and the sitemap that had it
        known = list(sitemaps)
        for sitemap in known:
            if sitemap not in self._compared:
                self._compared.add(sitemap)
                lost |= await self._lost(sitemap)
        for sitemap in known if lost else ():
            looks = await self._looks(sitemap)
            if looks and (now_listed := await self._listed(looks[-1])):
                for url in now_listed.urls:
                    lost.pop(normalised(url), None)
        leads = []
        for url, sitemap in lost.values():
            found = Found(url, modified=iso(now))
            lead = self.leads.lead(found, via=sitemap, depth=2, hops="ML", kind=None)
            if lead is not None and lead.kind in ("article", "page") and lead.skip is None and await self._had(url):
                leads.append(lead)
        if len(leads) > MOST_ASKED:
            log.warning(
                "sitemaps list %d articles no more; %d of them are asked for in this crawl", len(leads), MOST_ASKED
            )
        return leads[:MOST_ASKED]

    async def _lost(self, sitemap: str) -> dict[str, tuple[str, str]]:
        looks = await self._looks(sitemap)
        before = [look for look in looks if look.captured_at < self.started]
        if not before or before[-1] is looks[-1] or before[-1].payload_digest == looks[-1].payload_digest:
            return {}
        had, has = await self._listed(before[-1]), await self._listed(looks[-1])
        if had is None or has is None or not (had.whole and has.whole):
            return {}
        lost = {normalised(url): (url, sitemap) for url in had.urls}
        for url in has.urls:
            lost.pop(normalised(url), None)
        return lost

    async def _looks(self, url: str) -> list[Capture]:
        """Return the captures that show the sitemap at *url*, or say that it is the same, the oldest first."""
        looks: list[Capture] = await asyncio.to_thread(
            self.archive.ask_catalog, methodcaller("history", url, LOOKS), []
        )
        return [look for look in looks if look.status in (200, 304) and (not look.truncated or look.refers_to)]

    async def _had(self, url: str) -> bool:
        """Tell whether the page at *url* was there when it was last asked for."""
        looks: list[Capture] = await asyncio.to_thread(self.archive.ask_catalog, methodcaller("history", url, 1), [])
        return bool(looks) and looks[-1].status in (200, 304)

    async def _listed(self, capture: Capture) -> Listed | None:
        try:
            payload = (await asyncio.to_thread(shown, self.archive, capture, conditional=False)).payload
        except ArchiveError as error:
            log.debug("%s cannot be compared: %s", capture.url, error)
            return None
        return await self.follower.listed(payload, capture.url)
