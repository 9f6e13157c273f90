"""How leads enter the frontier: each address once, with the latest that was told of it.

A sitemap that says when a page was last changed may be read after a link to that page was found, or even after the page
was skipped because the archive holds it: what is told later counts, or the change would be missed, every time.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.frontier.pages import Lead


LAST = 25  # the priority of pages nobody knows anything of (crawler/leads.py)


@dataclass(frozen=True, slots=True)
class Added:
    """What a step changed: pages now pending, by site, and the best priority among them; articles to be extracted.

    *told* are the sites with pending pages of which more is known now.
    """

    pending: Mapping[str, int]
    best: Mapping[str, int]
    unread: int = 0
    told: frozenset[str] = frozenset()


@dataclass(slots=True)
class Entering:
    """One step of entering, in a transaction of *db*."""

    db: sqlite3.Connection
    run: int = 0  # the one that is under way
    pending: dict[str, int] = field(default_factory=dict)
    best: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    told: set[str] = field(default_factory=set)

    def added(self) -> Added:
        return Added(self.pending, self.best, self.unread, frozenset(self.told))

    def enter(self, leads: Iterable[Lead]) -> None:
        """Enter *leads*; of those whose key is known already only what is news is kept.

        That is that the page has changed; that one that is pending is to be asked for sooner, as when a feed lists what
        was a link to nobody knows what; or that one is not to be skipped after all.
        """
        now = time.time()
        for lead in leads:
            fresh = self.db.execute(
                "INSERT OR IGNORE INTO pages"
                " (key, url, site, kind, priority, depth, via, hops, modified, outcome, reason, ended_at, run)"
                " VALUES (:key, :url, :site, :kind, :priority, :depth, :via, :hops, :modified,"
                " CASE WHEN :skip IS NOT NULL THEN 'skipped' END, :skip,"
                " CASE WHEN :skip IS NOT NULL THEN :now END, CASE WHEN :skip IS NOT NULL THEN :run END)",
                {**lead._asdict(), "now": now, "run": self.run},
            ).rowcount
            if lead.skip:
                continue
            if fresh:
                if lead.day is not None:
                    self.db.execute("INSERT INTO dated VALUES (last_insert_rowid(), ?)", (lead.day,))
                self._is_pending(lead.site, lead.priority)
                continue
            if self._revive(lead):
                continue
            if lead.priority < LAST:
                self._promote(lead)
            if lead.modified is not None:
                self._tell(lead.key, lead.modified)

    def _revive(self, lead: Lead) -> bool:
        """Let a page be pending that was skipped for what was told of it, when other things are told of it now.

        That it is too old, or too many links away; not that it is a trap or beyond the limit of pages.
        """
        row = self.db.execute(
            "UPDATE pages SET url = :url, kind = :kind, priority = :priority, depth = :depth, via = :via, hops = :hops,"
            " modified = :modified, outcome = NULL, reason = NULL,"
            " ended_at = NULL, run = NULL"
            " WHERE key = :key AND outcome = 'skipped' AND record_id IS NULL"
            " AND reason NOT LIKE 'a trap:%' AND reason NOT LIKE 'the limit of %' RETURNING site",
            lead._asdict(),
        ).fetchone()
        if row is None:
            return False
        self._is_pending(row["site"], lead.priority)
        return True

    def _promote(self, lead: Lead) -> None:
        changed = self.db.execute(
            "UPDATE pages SET kind = ?, priority = ? WHERE key = ? AND outcome IS NULL AND priority > ?",
            (lead.kind, lead.priority, lead.key, lead.priority),
        ).rowcount
        if changed:
            self.told.add(lead.site)

    def _tell(self, key: str, modified: str) -> None:
        page = self.db.execute(
            "SELECT id, site, priority, modified, outcome, record_id, article FROM pages WHERE key = ?", (key,)
        ).fetchone()
        if not _is_later(modified, page["modified"]):
            return
        self.db.execute("UPDATE pages SET modified = ? WHERE id = ?", (modified, page["id"]))
        if page["outcome"] is None:
            self.told.add(page["site"])
        else:
            self._ask_again(page)

    def look_again(self, page_id: int, modified: str | None) -> None:
        """Let a page that was just skipped be asked for when more was told of it than *modified* meanwhile."""
        page = self.db.execute(
            "SELECT id, site, priority, modified, outcome, record_id, article FROM pages WHERE id = ?", (page_id,)
        ).fetchone()
        if page["modified"] is not None and _is_later(page["modified"], modified):
            self._ask_again(page)

    def _ask_again(self, page: sqlite3.Row) -> None:
        """Let a page be pending again, if it was skipped for a capture that the archive holds."""
        if page["outcome"] != "skipped" or page["record_id"] is None:
            return
        self.db.execute(
            "UPDATE pages SET outcome = NULL, reason = NULL, status = NULL, record_id = NULL, file = NULL,"
            " offset = NULL, length = NULL, article = NULL, tries = 0, not_before = 0, ended_at = NULL, run = NULL"
            " WHERE id = ?",
            (page["id"],),
        )
        self.unread -= page["article"] == 0
        self._is_pending(page["site"], page["priority"])

    def _is_pending(self, site: str, priority: int) -> None:
        self.pending[site] = self.pending.get(site, 0) + 1
        self.best[site] = min(self.best.get(site, priority), priority)


def _is_later(told: str, known: str | None) -> bool:
    """Tell whether *told* is later than *known*; a day counts from its beginning, so that its hours are later."""
    if known is None:
        return True
    try:
        return _instant(told) > _instant(known)
    except ValueError:  # a month or a year alone
        return False


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
