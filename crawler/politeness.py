"""When a site may be asked next: delays, what its robots.txt and its answers ask for, and what to do when it is down.

    429, or ``Retry-After``      the whole site rests, as long as it says, or each time twice as long
    503s, or no connection       once several pages in a row fare so the site rests, each time twice as long
    block pages                  once several came in a row the site rests, longer; it is down sooner
    many rests in a row          the site is *down*: nothing is asked of it for the rest of the run, and nothing is lost

A site is asked for one page alone until it has answered once: only then are its robots.txt, and where it is, known.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BUSY = frozenset({429, 503})  # RFC 6585, 4 and RFC 9110, 15.6.4: come back later
WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
MAX_REST_S = 3600.0  # who asks us to come back later than that is asked again in another run
LONGEST_REST_S = 300.0  # between two looks at whether a site that does not say is well again
SEVERAL = 3
BLOCKS_LONGER = 30  # times as long does a site rest that blocks: who asks again soon is blocked for longer
BLOCKS_BORNE = 6  # in a row, the first of which rest nothing; then nothing more is asked of the site in this run
LATENCIES_APART = 2  # between two requests: a site under load is busy with us half of the time at most
LATEST_SHARE = 0.3  # of the last answer in what a site's latency is taken for
LONGEST_ADAPTED_S = 30.0
MAX_CRAWL_DELAY_S = 120.0  # longer ones are mistakes: a site with 1,000 pages would take more than a day


@dataclass(slots=True)
class _Site:
    delay_s: float = 0.0  # between the starts of two requests
    concurrency: int = 1
    known: bool = False  # whether it has answered yet
    in_flight: int = 0
    next_at: float = 0.0  # monotonic
    latency_s: float | None = None  # until its answers begin, the later ones counting for more
    before: float = 0.0  # next_at, before the last request
    rests_until: float = 0.0  # monotonic
    troubled: set[int] = field(default_factory=set)  # pages it had trouble with since it last answered well
    rests: int = 0  # in a row
    why: str = ""  # it rests
    blocks: int = 0  # pages in a row in whose place a block page came
    down: str | None = None  # why nothing more is asked of it in this run


class Politeness:
    """Knows of each site when it may be asked next. All times are seconds of *clock*, which only goes forward.

    *delay_s* is kept between the starts of two requests to a site at a public address; robots.txt may ask for more, and
    a site that is slow to answer gets more.
    *concurrency* is how many may be under way with one site that asks for no delay. *rest_s* is the first rest a busy
    site is given, and after *patience* rests in a row it is given up for this run.
    """

    def __init__(
        self,
        *,
        delay_s: float,
        concurrency: int,
        rest_s: float = 1.0,
        patience: int = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.delay_s, self.concurrency = delay_s, concurrency
        self.rest_s, self.patience = rest_s, patience
        self.clock = clock
        self._sites: dict[str, _Site] = {}
        self.rested: Counter[str] = Counter()  # by site, how often it was given a rest in this run

    def _site(self, name: str) -> _Site:
        site = self._sites.get(name)
        if site is None:
            site = self._sites[name] = _Site(delay_s=self.delay_s)
        return site

    def wait_s(self, name: str) -> float | None:
        """Return in how many seconds a page of site *name* may be asked for, 0 for now; None: when another answers."""
        site = self._site(name)
        if site.in_flight >= (site.concurrency if site.known and not site.rests and not site.blocks else 1):
            return None
        return max(0.0, max(site.next_at, site.rests_until) - self.clock())

    def down(self, name: str) -> str | None:
        """Return why nothing more is asked of the site in this run; None when it may be asked."""
        return self._site(name).down

    def resting(self) -> dict[str, tuple[float, str]]:
        """Return the sites that rest now, for how many seconds more, and why."""
        now = self.clock()
        return {
            name: (site.rests_until - now, site.why)
            for name, site in list(self._sites.items())  # another thread may ask
            if site.rests_until > now and not site.down
        }

    def asked(self, name: str) -> None:
        """A request to the site has begun."""
        site = self._site(name)
        site.in_flight += 1
        site.before = site.next_at
        if site.delay_s:
            site.next_at = max(site.next_at, self.clock() + site.delay_s)

    def not_asked(self, name: str) -> None:
        """The request that was begun last did not have to be made after all."""
        site = self._site(name)
        site.next_at = site.before

    def done(self, name: str) -> None:
        """A request to the site has ended, however."""
        self._site(name).in_flight -= 1

    def answered(
        self,
        name: str,
        *,
        private: bool = False,
        crawl_delay_s: float | None = None,
        latency_s: float | None = None,
    ) -> None:
        """The site gave a page. *private*: it is at no public address, so nobody but us is bothered.

        *latency_s* is how long it took to begin its answer: a site that is slow is asked more seldom.
        """
        site = self._site(name)
        if self.clock() >= site.rests_until:  # what was under way when it began to rest does not end that
            site.rests = 0
            site.troubled.clear()
        site.known = True
        if latency_s is not None:
            known_s = latency_s if site.latency_s is None else site.latency_s
            site.latency_s = known_s + (latency_s - known_s) * LATEST_SHARE
        asked_for = min(crawl_delay_s or 0.0, MAX_CRAWL_DELAY_S)
        slow_s = min(LATENCIES_APART * (site.latency_s or 0.0), LONGEST_ADAPTED_S)
        site.delay_s = max(0.0 if private else max(self.delay_s, slow_s), asked_for)
        site.concurrency = 1 if site.delay_s else self.concurrency
        if not site.delay_s:
            site.next_at = 0.0

    def troubled(self, name: str, page: int, why: str, *, at_once: bool = False, rest_s: float | None = None) -> None:
        """The site was too busy for the page of that number, or could not be reached; *why* is told if it is given up.

        It rests *at_once* when it asks to, and for *rest_s* when it says how long; otherwise once several pages in a
        row fare so: one page alone may be broken for good.
        """
        site = self._site(name)
        site.troubled.add(page)
        now = self.clock()
        if rest_s is None and not at_once and len(site.troubled) < SEVERAL:
            return
        if rest_s is not None and rest_s > MAX_REST_S:
            site.down = f"{why}, and asks to be left alone for {rest_s:.0f} s"
        elif site.rests_until <= now:  # what was under way when it began to rest says nothing new
            site.rests += 1
            self.rested[name] += 1
            if site.rests > self.patience:
                site.down = f"{why}, {site.rests} times in a row"
        elif rest_s is None:
            return
        site.why = why
        longer_s = min(self.rest_s * 2 ** max(0, site.rests - 1), LONGEST_REST_S)
        # "Retry-After: 0", or a time that is past, says when no better than nothing does.
        site.rests_until = max(site.rests_until, now + (rest_s or longer_s))

    def blocked(self, name: str, why: str) -> None:
        """A block page came in place of a page of the site; *why* is told if it is given up.

        It rests once several came in a row, and is given up when it goes on to block.
        """
        site = self._site(name)
        now = self.clock()
        if site.down or site.rests_until > now:  # what was under way when it began to rest says nothing new
            return
        site.blocks += 1
        if site.blocks >= BLOCKS_BORNE:
            site.down = f"{why}, {site.blocks} times in a row"
        elif site.blocks >= SEVERAL:
            site.why = why
            longer_s = self.rest_s * BLOCKS_LONGER * 2 ** (site.blocks - SEVERAL)
            site.rests_until = now + min(longer_s, LONGEST_REST_S)

    def let_in(self, name: str) -> None:
        """The site gave a page of its own: it does not block."""
        self._site(name).blocks = 0


def retry_after_s(value: str | None, now: datetime | None = None) -> float | None:
    """Return how long a ``Retry-After`` field asks to wait (RFC 9110, 10.2.3: seconds, or a date); None for none."""
    text = (value or "").strip()
    if re.fullmatch(r"\d{1,18}", text, re.ASCII):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
