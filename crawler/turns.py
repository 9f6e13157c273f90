"""Whose turn it is: the pages that wait, site by site, and those under way.

The best of a site come first, one site beside the other, each as :mod:`crawler.politeness` lets it be asked, and never
more at once than can be dealt with. Pages that wait are in the frontier; here are the next hundred of each site.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from crawler import traps
from crawler.budget import Budget
from crawler.frontier import Added, Frontier, Kind, Page
from crawler.leads import PRIORITY
from crawler.politeness import Politeness

BUFFERED = 100  # pages of a site that are read from the frontier at a time
HELD_BYTES = 16 << 20  # of bodies that have arrived and are not done with; no more is asked for beyond
COUNTED: frozenset[Kind] = frozenset({"home", "section", "article", "page"})  # what --max-pages limits


class Turn(NamedTuple):
    """The page whose turn it is, and that is under way now. *skip* says why it is not to be asked for after all."""

    page: Page
    skip: str | None = None


@dataclass(slots=True)
class _Site:
    """The pages of one site that wait here, and how many wait in the frontier, these included."""

    pending: int = 0
    buffer: deque[Page] = field(default_factory=deque)
    due_at: float = 0.0  # seconds since 1970; when pages put off may be asked for again


class Turns:
    """Hands out the pages of *frontier*, and knows of each that is under way until it has :meth:`left`.

    *at_once* is how many may be under way before their captures are durable, which is what a kill costs at most; as
    many again may be kept and wait to be followed. *max_pages* limits those of the kinds :data:`COUNTED` over all runs
    of a crawl; *more_to_come* tells whether pages beyond the limit may still be found, as what articles need to be
    shown.
    """

    def __init__(
        self,
        frontier: Frontier,
        politeness: Politeness,
        *,
        at_once: int,
        max_pages: int | None = None,
        more_to_come: Callable[[], bool] = lambda: False,
        budget: Budget | None = None,
    ) -> None:
        self.budget = budget or Budget()
        self.frontier, self.politeness = frontier, politeness
        self.max_pages, self.more_to_come = max_pages, more_to_come
        self.soonest_s: float | None = None  # when :meth:`next` gave nothing: in how many seconds it may give something
        self._most_not_kept, self._most_in_flight = at_once, 2 * at_once
        self._most_with_listings = max(1, self._most_in_flight // 4)
        self._in_flight: dict[int, Page] = {}
        self._arrived: dict[int, int] = {}  # of these, those the site is done with, and the bytes held for each
        self._kept: set[int] = set()  # of these, those whose captures are durable
        self._held_bytes = 0
        self._uncounted: set[int] = set()  # of these, those that were not asked for
        self._sites = {site: _Site(pending=count) for site, count in frontier.pending().items()}
        self._barren = frontier.barren()  # by listing, how many of those asked for last showed nothing new
        self._counted = frontier.count_asked(COUNTED)  # towards max_pages

    @property
    def waiting(self) -> int:
        """How many pages are still to be asked for."""
        return sum(site.pending for site in list(self._sites.values()))  # another thread may ask

    @property
    def under_way(self) -> int:
        """How many pages have had their turn and have not ended."""
        return len(self._in_flight)

    @property
    def pressed(self) -> bool:
        """Whether pages arrive faster than they are kept and followed: the processor is what the crawl waits for."""
        return len(self._arrived) > self._most_in_flight // 4

    @property
    def any_left(self) -> bool:
        """Whether anything is still to be done in this run: pages to ask for, or under way."""
        return bool(self._in_flight) or (self._any_waiting() and not self.budget.used_up())

    def _any_waiting(self) -> bool:
        return any(site.pending and not self.politeness.down(name) for name, site in self._sites.items())

    # ---- the next one

    def next(self) -> Turn | None:
        """Return the page that may be asked for now; None when there is none, and :attr:`soonest_s` says when."""
        self.soonest_s = None
        if self.budget.used_up():
            return None
        if len(self._in_flight) - len(self._kept) >= self._most_not_kept or self._held_bytes >= HELD_BYTES:
            return None
        for name, site in list(self._sites.items()):
            if not site.pending or self.politeness.down(name):
                continue
            wait_s = self.politeness.wait_s(name)
            if wait_s == 0:
                turn = self._take(name, site)
                if turn is not None:
                    self._sites[name] = self._sites.pop(name)  # the others first, next time
                    return turn
                wait_s = max(0.01, site.due_at - time.time()) if site.due_at else None
            if wait_s is not None and wait_s > 0:
                self.soonest_s = wait_s if self.soonest_s is None else min(wait_s, self.soonest_s)
        left_s = self.budget.left_s
        if left_s is not None and self.soonest_s is not None:
            self.soonest_s = min(left_s, self.soonest_s)
        return None

    def _take(self, name: str, site: _Site) -> Turn | None:
        if self._is_limit_reached():
            while site.buffer and self._counts(site.buffer[0]):  # what is behind them may belong to pages within it
                site.buffer.popleft()
        if not site.buffer:
            self._refill(name, site)
        if not site.buffer or len(self._in_flight) >= self._most_in_flight:
            return None
        if site.buffer[0].priority > PRIORITY["article"] and len(self._in_flight) >= self._most_with_listings:
            return None  # what is under way may lead to articles, which come first
        page = site.buffer.popleft()
        site.pending -= 1
        self._in_flight[page.id] = page
        if self._is_trapped(page):
            return Turn(page, traps.BARREN)
        self.politeness.asked(page.site)
        self._counted += self._counts(page)
        return Turn(page)

    def _is_trapped(self, page: Page) -> bool:
        if not self._barren or page.via is None or not traps.may_be_listing(page.kind, page.url):
            return False
        own, via = traps.listing(page.url), traps.listing(page.via)
        return self._is_trap(own) and (via == own or self._is_trap(via))

    def _is_trap(self, listing: str) -> bool:
        return traps.is_trap(listing, self._barren.get(listing, 0))

    def _refill(self, name: str, site: _Site) -> None:
        held = self._in_flight.keys()
        beyond = COUNTED if self._is_limit_reached() else ()
        now = time.time()  # the same for both, or what comes due in between is not waited for
        pages = self.frontier.due(name, now, BUFFERED + len(held), except_for=beyond)
        site.buffer.extend(page for page in pages if page.id not in held)
        site.due_at = 0.0 if site.buffer else (self.frontier.next_due(name, now) or 0.0)

    def _is_limit_reached(self) -> bool:
        return self.max_pages is not None and self._counted >= self.max_pages

    def at_the_limit(self) -> bool:
        """Whether all that waits is beyond the limit of pages, and nothing within it is still to come."""
        if not self._is_limit_reached() or self._in_flight or not self._any_waiting():
            return False
        uncounted = self.frontier.pending(except_for=COUNTED)
        return all(self.politeness.down(name) for name in uncounted) and not self.more_to_come()

    # ---- what became of those under way

    def arrived(self, page: Page, size: int) -> None:
        """The site is done with *page*, whose body has *size* bytes, and may be asked for another."""
        if page.id in self._in_flight and page.id not in self._arrived:
            self._arrived[page.id] = size
            self._held_bytes += size
            self.politeness.done(page.site)

    def kept(self, page: Page) -> None:
        """What came for *page* is durable, or nothing came."""
        if page.id in self._in_flight:
            self._kept.add(page.id)

    def _counts(self, page: Page) -> bool:
        """Whether it counts towards the limit that *page* is asked for: the first time."""
        return page.kind in COUNTED and not page.tries

    def not_asked(self, page: Page, *, before: bool = False) -> None:
        """Nothing was sent to the site for *page* after all: no delay is used up by it, and none of the limit.

        *before*: it was asked for by an earlier run of this crawl.
        """
        if page.id not in self._uncounted:
            self._uncounted.add(page.id)
            self.politeness.not_asked(page.site)
            if not before:
                self._counted -= self._counts(page)

    def left(self, page: Page, *, asked: bool = True) -> None:
        """*page* is under way no more. *asked*: its turn was not one to be skipped."""
        if self._in_flight.pop(page.id, None) is None:
            return  # it was left before: a bug was met after that, and nothing is counted twice
        self._uncounted.discard(page.id)
        self._kept.discard(page.id)
        size = self._arrived.pop(page.id, None)
        if size is not None:
            self._held_bytes -= size
        elif asked:
            self.politeness.done(page.site)

    def back(self, page: Page, *, tried: bool = False) -> None:
        """*page* is under way no more, and waits again. *tried*: it was asked for, and counts."""
        if page.id in self._in_flight:
            self._counted -= self._counts(page) and page.id not in self._uncounted and not tried
            site = self._sites.setdefault(page.site, _Site())
            site.pending += 1
            site.due_at = 0.0
            self.left(page)

    # ---- what was found

    def added(self, added: Added) -> None:
        """Take in what a step changed in the frontier."""
        for name in added.told & self._sites.keys():
            self._sites[name].buffer.clear()  # read again, with what is known of them now
        for name, count in added.pending.items():
            site = self._sites.setdefault(name, _Site())
            site.pending += count
            last = site.buffer[-1].priority if site.buffer else -1
            if added.best[name] < last or (self.frontier.order and added.best[name] == last):
                site.buffer.clear()  # read again, with the new ones among them

    def barren(self, listing: str, pages: int) -> None:
        """The last *pages* of those counted as *listing* showed nothing new."""
        if pages:
            self._barren[listing] = pages
        else:
            self._barren.pop(listing, None)

    def none_waits(self) -> None:
        """All that waited is skipped."""
        for site in self._sites.values():
            site.pending = 0
            site.buffer.clear()
