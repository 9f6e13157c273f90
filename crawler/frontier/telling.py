"""What the frontier is asked when a run has ended: for its report. Nothing is held in memory that grows with the crawl.

What earlier runs of the crawl did and could not tell, as they were killed, belongs to the next run's report.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from crawler import traps
from crawler.frontier.file import READ
from crawler.frontier.frontier import Frontier

SEVERAL = 5  # articles that a page shows which is a listing; what sends readers to log in shows none
REPORTED = "reported"  # the fact that names the last run that left a report
_CAPTURED = "(pages.record_id IS NOT NULL AND (pages.status BETWEEN 200 AND 299 OR pages.status = 304))"
_REDIRECTS = "(301, 302, 303, 307, 308)"


class Missed(NamedTuple):
    """A page that is known and was not captured. *outcome* is ``pending`` for one that waits."""

    url: str
    outcome: str
    reason: str | None
    ended_at: float | None  # seconds since 1970
    not_before: float  # the same; 0 when it may be asked for at once
    via: str | None
    depth: int
    kind: str
    site: str
    status: int | None
    tries: int


class Ended(NamedTuple):
    """A page that got its outcome in the runs that are told of, and the record id of its capture."""

    url: str
    kind: str
    status: int
    record_id: str


class Source(NamedTuple):
    """What one feed or sitemap lists, and how much of that was captured and extracted."""

    id: int
    url: str
    kind: str
    listed: int
    captured: int
    extracted: int


class Redirected(NamedTuple):
    """A page that is listed and was redirected: what it leads to is what is captured."""

    source: int
    record_id: str


@dataclass(frozen=True, slots=True)
class Telling:
    """Questions to *frontier* about the runs after *reported*, the last that left a report, and about the whole."""

    frontier: Frontier
    run: int
    reported: int
    started: str  # of the first of these runs, ISO 8601

    @classmethod
    def of(cls, frontier: Frontier) -> Telling:
        facts = frontier.facts()
        run = int(facts.get("run", 0))
        reported = min(int(facts.get(REPORTED, 0)), max(0, run - 1))
        return cls(frontier, run, reported, facts.get(f"run {reported + 1}", facts.get("started", "")))

    def done(self) -> None:
        """Note, durably, that all of this is told."""
        self.frontier.note(REPORTED, str(self.run))
        self.frontier.commit()

    def rows(self, query: str, *values: Any) -> Iterator[sqlite3.Row]:
        """Yield the rows of *query*, in which ``:since`` stands for the last run that left a report."""
        with self.frontier.reading() as db:
            yield from db.execute(query.replace(":since", str(self.reported)), values)

    # ---- counts

    def outcomes(self) -> dict[str, int]:
        """Return how many pages ended in each outcome in the runs that are told of."""
        return dict(self._pairs("SELECT outcome, count(*) FROM pages WHERE run > :since GROUP BY outcome"))

    def trouble(self) -> dict[str, dict[str, int]]:
        """Return by site how many pages failed and were refused in these runs."""
        found: dict[str, dict[str, int]] = {}
        for site, outcome, count in self.rows(
            "SELECT site, outcome, count(*) FROM pages WHERE run > :since AND outcome IN ('failed', 'refused')"
            " GROUP BY site, outcome"
        ):
            found.setdefault(site, {})[outcome] = count
        return found

    def days(self) -> dict[str, int]:
        """Return how many articles were published on each day: those that this crawl read, or knew."""
        query = "SELECT day, count(*) FROM pages WHERE article = ? AND day IS NOT NULL GROUP BY day"
        return dict(self._pairs(query, READ))

    def observed_counts(self) -> dict[str, int]:
        return dict(self._pairs("SELECT what, count(*) FROM observed WHERE run > :since GROUP BY what"))

    def hidden_by(self) -> dict[str, int]:
        """Return of how many articles something else stood in the place, by what that was."""
        query = "SELECT detail ->> 'by', count(*) FROM observed WHERE run > :since AND what = 'hidden' GROUP BY 1"
        return dict(self._pairs(query))

    def _pairs(self, query: str, *values: Any) -> Iterator[tuple[Any, Any]]:
        return ((row[0], row[1]) for row in self.rows(query, *values))

    # ---- lists

    def observed(self, what: str) -> Iterator[sqlite3.Row]:
        """Yield url, title and detail of what was observed, in that order."""
        query = "SELECT url, title, detail FROM observed WHERE run > :since AND what = ? ORDER BY id"
        return self.rows(query, what)

    def missed(self) -> Iterator[Missed]:
        """Yield every page of the crawl that is not captured; one that the archive held already is."""
        query = (
            "SELECT url, coalesce(outcome, 'pending'), reason, ended_at, not_before, via, depth, kind, site, status,"
            " tries FROM pages WHERE outcome IS NULL OR outcome IN ('refused', 'failed')"
            " OR (outcome = 'skipped' AND record_id IS NULL) ORDER BY id"
        )
        return (Missed(*row) for row in self.rows(query))

    def perhaps_gone(self, statuses: Sequence[int]) -> Iterator[Ended]:
        """Yield pages that answered one of *statuses*, and at which an article may have stood."""
        query = (
            "SELECT url, kind, status, record_id FROM pages WHERE run > :since AND kind IN ('article', 'page')"  # noqa: S608 - question marks
            f" AND record_id IS NOT NULL AND status IN ({', '.join('?' * len(statuses))}) ORDER BY id"
        )
        return (Ended(*row) for row in self.rows(query, *statuses))

    def page(self, key: str) -> Ended | None:
        """Return the captured page with that key."""
        query = "SELECT url, kind, status, record_id FROM pages WHERE key = ? AND record_id IS NOT NULL"
        return next((Ended(*row) for row in self.rows(query, key)), None)

    def lists_articles(self, url: str) -> bool:
        """Tell whether the page at *url*, or those like it, showed several articles in this crawl."""
        query = (
            "SELECT count(*) FROM (SELECT 1 FROM shown JOIN pages ON pages.key = shown.key"
            " WHERE shown.template = ? AND pages.kind = 'article' LIMIT ?)"
        )
        return int(next(self.rows(query, traps.listing(url), SEVERAL))[0]) == SEVERAL

    # ---- coverage

    def sources(self) -> Iterator[Source]:
        """Yield the feeds and sitemaps that list anything, the longest first."""
        query = (
            f"SELECT source.id, source.url, source.kind, count(*), sum({_CAPTURED}),"  # noqa: S608 - our own words
            " sum(pages.article IS ?) FROM listed JOIN pages ON pages.id = listed.page"
            " JOIN pages AS source ON source.id = listed.source GROUP BY source.id ORDER BY count(*) DESC, source.id"
        )
        return (Source(*row) for row in self.rows(query, READ))

    def listed(self) -> tuple[int, int, int]:
        """Return how many different pages are listed anywhere, and of these captured and extracted."""
        query = (
            f"SELECT count(*), coalesce(sum({_CAPTURED}), 0), coalesce(sum(article IS ?), 0) FROM pages"  # noqa: S608 - as above
            " WHERE id IN (SELECT page FROM listed)"
        )
        row = next(self.rows(query, READ))
        return row[0], row[1], row[2]

    def listed_redirects(self) -> Iterator[Redirected]:
        query = (
            "SELECT listed.source, pages.record_id FROM listed JOIN pages ON pages.id = listed.page"  # noqa: S608 - as above
            f" WHERE pages.status IN {_REDIRECTS} AND pages.record_id IS NOT NULL ORDER BY pages.id"
        )
        return (Redirected(*row) for row in self.rows(query))

    def is_extracted(self, key: str) -> bool:
        """Tell whether the article of the page with that key was extracted."""
        return next(self.rows("SELECT 1 FROM pages WHERE key = ? AND article = ?", key, READ), None) is not None

    def published_and_captured(self) -> Iterator[tuple[str, float]]:
        """Yield of each new article that a feed lists with a time when it was published, and captured.

        The first in ISO 8601, as the feed told it, the earliest of several; the other in seconds since 1970.
        """
        query = (
            "SELECT min(listed.published), pages.ended_at FROM observed JOIN pages ON pages.id = observed.page"
            " JOIN listed ON listed.page = pages.id JOIN pages AS source ON source.id = listed.source"
            " WHERE observed.run > :since AND observed.what = 'new' AND listed.published IS NOT NULL"
            " AND source.kind = 'feed' AND pages.ended_at IS NOT NULL GROUP BY pages.id"
        )
        return ((row[0], row[1]) for row in self.rows(query))
