"""All that is watched of one host, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from archive.drift.facts import BY_RULE, RULED, Fact
from archive.drift.lengths import Lengths
from archive.drift.recent import TRAILING
from archive.drift.shares import Change, Share

NAMES = {
    "title": "a title of their own",
    "published": "a date",
    "time": "a time of publication",
    "authors": "authors",
    **{f"{name}{BY_RULE}": f"{name} by the publisher's rules" for name in RULED},
}
LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Drift:
    """One change in how a host's articles are read.

    *what* is a name of :class:`~archive.drift.facts.Fact` or ``length``. *before* and *after* are the numbers of
    articles that have it, or of ``length`` the medians in characters; *articles_before* and *articles_after* of how
    many. *since* is the time of capture of the first article it shows in, at *url*; *until* that of the first one that
    is as before again, None while it lasts.
    """

    host: str
    what: str
    since: str
    url: str
    before: int
    articles_before: int
    after: int
    articles_after: int
    until: str | None = None

    @property
    def lasts(self) -> bool:
        """Whether it is still so, and not yet so long that it has become the custom."""
        return self.until is None and self.articles_after < TRAILING

    def __str__(self) -> str:
        if self.what == LENGTH:
            told = (
                f"the text of the {self.articles_after:,} articles has {self.after:,} characters in the median;"
                f" of the {self.articles_before:,} before it had {self.before:,}"
            )
        else:
            told = (
                f"{self.after:,} of {self.articles_after:,} articles have {NAMES[self.what]};"
                f" of the {self.articles_before:,} before {self.before:,} had"
            )
        span = f"since {self.since}" if self.until is None else f"from {self.since} until {self.until}"
        return f"{self.host}: {span} ({self.url}) {told}: the site may have been redesigned; check its rules"

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Watch:
    """Watches one host: :meth:`take` its pages in the order of capture, then ask for its :attr:`drifts`."""

    host: str
    _shares: dict[str, Share] = field(default_factory=lambda: {name: Share(name) for name in NAMES})
    _lengths: Lengths = field(default_factory=Lengths)
    _last: tuple[str, str | None] = ("", None)

    def take(self, fact: Fact) -> None:
        """Look at the next page; what is no article is passed over."""
        if not fact.counts:
            return
        for name, share in self._shares.items():
            share.take(fact, name in fact.has and not (name == "title" and self._is_the_sites(fact)))
        self._lengths.take(fact)
        self._last = (fact.url, fact.title)

    def _is_the_sites(self, fact: Fact) -> bool:
        """Tell whether a page's title is that of the page before it: then it is the site's, and no article's."""
        url, title = self._last
        return fact.title == title and fact.url != url

    @property
    def drifts(self) -> list[Drift]:
        """What has changed, the earliest first."""
        found = [self._told(name, change) for name, share in self._shares.items() for change in share.changes]
        found += [self._told(LENGTH, change) for change in self._lengths.changes]
        return sorted(found, key=lambda drift: drift.since)

    def _told(self, what: str, change: Change) -> Drift:
        after = sorted(change.after)[len(change.after) // 2] if what == LENGTH else sum(change.after)
        return Drift(
            host=self.host,
            what=what,
            since=change.since.at,
            url=change.since.url,
            before=round(change.before),
            articles_before=change.articles,
            after=round(after),
            articles_after=len(change.after),
            until=change.ended.at if change.ended else None,
        )


def drifts(host: str, facts: Iterable[Fact]) -> list[Drift]:
    """Return what has changed in *facts*, those of the pages of *host* in the order of capture; earliest first."""
    watch = Watch(host)
    for fact in facts:
        watch.take(fact)
    return watch.drifts
