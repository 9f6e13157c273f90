"""Whether a page that the archive holds is asked for again, and why, or why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import methodcaller
from typing import TYPE_CHECKING

from archive.archive import Archive
from archive.capture import Capture
from archive.catalog.identity import normalised
from archive.catalog.watching import Reading
from archive.walls import IN_PLACE
from crawler import traps
from crawler.leads import FEED_ITEM
from crawler.publication import Publication
from crawler.revisiting.intervals import DEEP, EARLY, SHORTEST, interval, told
from crawler.revisiting.ladder import Ladder

if TYPE_CHECKING:
    from crawler.frontier import Page

LASTING = frozenset({"article", "print", "requisite"})  # kinds of page that are asked for once
LISTED_AS_ARTICLE = frozenset({"article", "live", "gallery"})
STILL_LIVE = timedelta(days=3)  # since a live page last showed something else; some rest over a weekend
LOOKS = 24  # captures of a page that are looked at; what lies further back tells nothing any more
WHOLE_AGAIN = timedelta(days=1)  # after which a front is asked for without conditions: some servers answer 304 always
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Known:
    """What the archive has of a page.

    *shown* is the last capture that shows the page itself. *why* says why it is asked for again, or why it is not.
    *conditional*: a server may answer that nothing has changed since *shown*.
    """

    shown: Capture
    ask: bool
    why: str | None
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Revisits:
    """Decides for one crawl that began at *started*.

    *by_hand*: somebody waits for it, who wants to know what is new now: fronts are looked at whatever their intervals.
    *recrawl*: everything is asked for again, and whole.
    """

    archive: Archive
    publication: Publication
    ladder: Ladder
    started: datetime
    by_hand: bool = True
    recrawl: bool = False

    def known(self, page: Page, now: datetime) -> Known | None:
        """Return what the archive has of *page*; None when that is nothing that could be shown in its place."""
        looks: list[Capture] = self.archive.ask_catalog(methodcaller("history", page.url, LOOKS), [])
        shown = next((look for look in reversed(looks) if look.status == 200), None)
        if shown is None and len(looks) == LOOKS:
            shown = self.archive.ask_catalog(methodcaller("latest", page.url, status=200), None)
        if shown is None:
            return self._dead_end(page, looks, now)
        if shown.truncated and shown.record_type != "revisit":
            return None
        if shown.captured_at >= self.started:
            return Known(shown, ask=False, why=None)
        if self.recrawl:
            return Known(shown, ask=True, why=None)
        answered = max((look.captured_at for look in looks if _is_answer(look)), default=shown.captured_at)
        why = self._changed(page, answered)
        if why is None:
            if self._lasts(page, shown):
                why = self._rung(page, looks, answered, now)
                if why is None:
                    return Known(shown, ask=False, why=f"archived already, on {shown.captured_at:%Y-%m-%d}")
            elif page.kind not in LASTING and (reason := self._rests(page, looks, now)):
                return Known(shown, ask=False, why=reason)
        whole = shown.captured_at  # when the server last sent the page itself
        patience = max(self.ladder.longest, WHOLE_AGAIN) if page.kind in LASTING else WHOLE_AGAIN
        return Known(shown, ask=True, why=why, conditional=now - whole < patience)

    def _dead_end(self, page: Page, looks: Sequence[Capture], now: datetime) -> Known | None:
        """Return the redirect or error that *page* was lately; None when it is to be asked for.

        Old articles have many dead links. One that a front shows may only be early.
        """
        last = looks[-1] if looks else None
        if last is None or last.captured_at >= self.started or self.recrawl or page.priority <= FEED_ITEM:
            return None
        if page.depth <= 1 or last.truncated or not (last.redirect or last.status in (404, 410)):
            return None
        same = [look for look in looks if look.status == last.status]
        if self._changed(page, last.captured_at) or (why := self._looked_at(same, DEEP, None, now)) is None:
            return None
        return Known(last, ask=False, why=why)

    def failed_before(self, page: Page) -> bool:
        """Tell whether the server had nothing but an error for *page* when an earlier crawl asked for it last.

        Of a front it says that the site was in trouble, not the page.
        """
        if page.kind not in (*LASTING, "page"):
            return False
        looks: list[Capture] = self.archive.ask_catalog(methodcaller("history", page.url, 1), [])
        return any(look.captured_at < self.started and (look.status or 0) >= 500 for look in looks)

    # ---- articles

    def _changed(self, page: Page, answered: datetime) -> str | None:
        """Tell whether a sitemap or feed says that *page* is newer than its last answer; a day counts from its end."""
        if page.modified is None:
            return None
        try:
            at = datetime.fromisoformat(page.modified)
        except ValueError:
            return None
        changed = at > answered if at.tzinfo else at.date() >= answered.date()
        return f"said to have changed, {page.modified}" if changed else None

    def _lasts(self, page: Page, shown: Capture) -> bool:
        if page.kind not in (*LASTING, "page"):
            return False
        extracted = self.archive.ask_catalog(methodcaller("extracted", shown.record_id), None)
        if extracted is not None and extracted[1] in IN_PLACE:
            return False  # the article is still to be had
        if extracted is not None and extracted[1] == "live":
            original = shown.refers_to.captured_at if shown.refers_to else None
            return datetime.now(UTC) - (original or shown.captured_at) > STILL_LIVE
        return page.kind in LASTING or (extracted is not None and extracted[1] in LISTED_AS_ARTICLE)

    def _rung(self, page: Page, looks: Sequence[Capture], answered: datetime, now: datetime) -> str | None:
        """Return which rung of the ladder *page* stands on, if it was not asked for since it came there."""
        if not self.ladder.rungs or page.kind == "requisite":
            return None
        readings: list[Reading] = self.archive.ask_catalog(methodcaller("readings", normalised(page.url)), [])
        first = min(readings[0].captured_at if readings else answered, looks[0].captured_at)
        published = self._published(page, readings, first)
        if published is None:
            return None
        if rung := self.ladder.due(published, answered, now):
            return f"{told(rung)} after its publication"
        changed = _last_change(readings)
        if changed and (rung := self.ladder.due_after_change(published, changed, answered, now)):
            return f"{told(rung)} after it was seen to have changed"
        return None

    def _published(self, page: Page, readings: Sequence[Reading], first: datetime) -> datetime | None:
        """Return when *page*, first captured at *first*, was published; None when nothing tells.

        It says so itself, or its address does; or a feed or front page has it, and so it was new when it was found.
        """
        told_by_page = next((reading.published for reading in reversed(readings) if reading.published), None)
        if told_by_page and (at := _instant(told_by_page, first)):
            return at
        if period := self.publication.period(page.url):
            return _within(period[0], period[1], first)
        return first if page.priority <= FEED_ITEM or page.depth <= 1 else None

    # ---- what lists articles

    def _rests(self, page: Page, looks: Sequence[Capture], now: datetime) -> str | None:
        """Return why *page*, a front, feed, sitemap or listing, need not be looked at yet."""
        front = is_front(page)
        if front and self.by_hand:
            return None
        seen = [look for look in looks if look.status in (200, 304)]
        resting_since = None if page.kind in ("home", "feed") else _end_of(self.publication.period(page.url), page.url)
        return self._looked_at(seen, SHORTEST if front or page.kind == "sitemap" else DEEP, resting_since, now)

    @staticmethod
    def _looked_at(
        seen: Sequence[Capture], shortest: timedelta, resting_since: datetime | None, now: datetime
    ) -> str | None:
        every = interval(seen, shortest=shortest, resting_since=resting_since)
        ago = now - seen[-1].captured_at
        if ago >= every * EARLY:
            return None
        return f"looked at {told(ago)} ago; it is looked at about every {told(every)}"


def is_front(page: Page) -> bool:
    """Tell whether *page* shows what is new: a home page, what it links to, a feed, an index of sitemaps."""
    if page.kind == "sitemap":
        return "M" not in page.hops
    return page.kind in ("home", "feed") or page.depth <= 1


def _is_answer(capture: Capture) -> bool:
    """Tell whether the site answered for the page: what is wrong with the server says nothing of the article."""
    return capture.status is not None and capture.status < 500 and capture.status not in (408, 425, 429)


def _last_change(readings: Sequence[Reading]) -> datetime | None:
    """Return when the last capture was made that has another title or text than the one before it."""
    for at in range(len(readings) - 1, 0, -1):
        now, before = readings[at], readings[at - 1]
        if (now.title, now.text_digest) != (before.title, before.text_digest):
            return now.captured_at
    return None


def _instant(text: str, first: datetime) -> datetime | None:
    """Return the time that *text* says, of an article first captured at *first*; no article is published after that."""
    try:
        if "T" not in text and " " not in text:
            day = date.fromisoformat(text)
            return _within(day, day, first)
        at = datetime.fromisoformat(text)
        return min(at if at.tzinfo else at.replace(tzinfo=UTC), first)
    except (ValueError, OverflowError):
        return None


def _within(begins: date, ends: date, first: datetime) -> datetime:
    """Return the latest moment within these days that is not after *first*, or the first when all of them are."""
    least, most = _midnight(begins), _midnight(ends) + _DAY
    return min(max(least, min(most, first)), first)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end_of(period: tuple[date, date] | None, url: str) -> datetime | None:
    """Return when the days that a listing is about were over; None when none are known."""
    period = period or traps.dated(url)
    return _midnight(period[1]) + _DAY if period else None
