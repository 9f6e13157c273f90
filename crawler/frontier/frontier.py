"""The frontier itself: what is written to its file, and what is asked of it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Self

from archive.place import Place
from crawler.frontier.entering import Added, Entering
from crawler.frontier.file import READ, UNREAD, UNREADABLE, connected, errors_of, locked
from crawler.frontier.pages import (
    OUTCOMES,
    Done,
    Kind,
    Lead,
    Listed,
    Observed,
    Order,
    Outcome,
    Page,
    Reason,
    Unread,
)

# The sites of pending pages, by leaps through the index rather than along it.
_SITES = """
WITH RECURSIVE sites (site) AS (
    SELECT min(site) FROM pages WHERE outcome IS NULL
    UNION ALL
    SELECT (SELECT min(site) FROM pages WHERE outcome IS NULL AND site > sites.site) FROM sites WHERE site IS NOT NULL
)
SELECT site FROM sites WHERE site IS NOT NULL
"""


class Frontier:
    """One crawl's frontier, open and locked. Two threads may use it: one that writes, one that reads.

    What is written is durable once :meth:`commit` has returned. Methods raise ``StorageError``, ``DiskFull``, or
    ``IndexDamaged`` when the file cannot be used.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path, self._lock = path, lock
        self.order: Order | None = None  # by the days of pages, where their priority is the same
        self._run = 0  # until :meth:`begin_run`
        self._lost: BaseException | None = None  # what ended a transaction before its commit
        with errors_of(path):
            self._writer = connected(path)
            self._reader = connected(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the frontier at *path*, new or as an earlier run left it.

        Raises ``FrontierBusy`` while another process has it.
        """
        lock = locked(path)
        try:
            return cls(path, lock)
        except BaseException:
            os.close(lock)
            raise

    def close(self) -> None:
        """Close it; what was not committed is forgotten."""
        if self._lock >= 0:
            with contextlib.suppress(sqlite3.Error):  # a full disk: the log stays and is replayed by the next run
                self._reader.close()
                self._writer.close()
            os.close(self._lock)
            self._lock = -1

    def remove(self) -> None:
        """Delete its files and close it: the next run of this crawl begins anew."""
        with errors_of(self.path):
            for ending in ("-wal", "-shm", ""):
                Path(f"{self.path}{ending}").unlink(missing_ok=True)
        self.close()  # the lock last: what another run opens is not deleted under it

    # ---- writing, in one thread

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One step of a group: all of it or nothing, whatever becomes of the others."""
        with errors_of(self.path):
            db = self._writer
            if not db.in_transaction:
                db.execute("BEGIN IMMEDIATE")
            db.execute("SAVEPOINT step")
            try:
                yield db
            except BaseException as error:
                if db.in_transaction:
                    db.execute("ROLLBACK TO step")
                    db.execute("RELEASE step")
                else:  # a full disk ends the whole transaction, and with it the steps before
                    self._lost = error
                raise
            db.execute("RELEASE step")

    def commit(self) -> None:
        """Make durable all that was written since the last commit, or none of it."""
        with errors_of(self.path):
            if self._lost is not None:
                lost, self._lost = self._lost, None
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise lost
            if self._writer.in_transaction:
                try:
                    self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise

    def note(self, name: str, value: str) -> None:
        """Keep a fact about the crawl itself."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO crawl VALUES (?, ?)", (name, value))

    def begin_run(self, at: str) -> int:
        """Note that a run begins, *at* a time in ISO 8601; return its number, from 1. What ends from now on is its."""
        self._run = 1 + int(self.facts().get("run", 0))
        self.note("run", str(self._run))
        self.note(f"run {self._run}", at)
        return self._run

    def add(self, leads: Iterable[Lead]) -> Added:
        """Enter *leads*; of those whose key is known already only what is news is kept."""
        with self._writing() as db:
            step = Entering(db, self._run)
            step.enter(leads)
            return step.added()

    def finish(
        self,
        page_id: int,
        done: Done,
        leads: Iterable[Lead] = (),
        *,
        modified: str | None = None,
        listed: Iterable[Listed] = (),
    ) -> Added:
        """Say what became of a page and enter what it leads to: both or neither.

        *modified* is when it was last changed, as far as was known when it was asked for. *listed* are those of the
        *leads* that it lists, being a feed or sitemap.
        Raises ``LookupError`` when the page is not pending: nothing is done twice.
        """
        place = done.place or Place("", 0, 0)
        with self._writing() as db:
            changed = db.execute(
                "UPDATE pages SET outcome = ?, reason = ?, status = ?, record_id = ?, file = ?, offset = ?, length = ?,"
                " article = ?, ended_at = ?, run = ? WHERE id = ? AND outcome IS NULL",
                (
                    done.outcome,
                    done.reason and done.reason.encode("utf-8", "backslashreplace").decode(),  # half a surrogate pair
                    done.status,
                    done.record_id,
                    place.key or None,
                    place.offset if place.key else None,
                    place.length if place.key else None,
                    UNREAD if done.extract else None,
                    time.time(),
                    self._run,
                    page_id,
                ),
            ).rowcount
            if changed != 1:
                raise LookupError(f"page {page_id} of {self.path} is not pending")
            step = Entering(db, self._run, unread=int(done.extract))
            step.enter(leads)
            db.executemany(
                "INSERT OR REPLACE INTO listed SELECT id, ?, ? FROM pages WHERE key = ?",
                ((page_id, item.published, item.key) for item in listed),
            )
            if done.outcome == "skipped" and done.record_id is not None:
                step.look_again(page_id, modified)
            return step.added()

    def postpone(self, page_id: int, *, tries: int, not_before: float) -> None:
        """Leave a page pending, after *tries* tries, until the time *not_before*, in seconds since 1970."""
        with self._writing() as db:
            db.execute("UPDATE pages SET tries = ?, not_before = ? WHERE id = ?", (tries, not_before, page_id))

    def skip_pending(self, reason: str) -> int:
        """Let every pending page be skipped for *reason*; return how many."""
        with self._writing() as db:
            return db.execute(
                "UPDATE pages SET outcome = 'skipped', reason = ?, ended_at = ?, run = ? WHERE outcome IS NULL",
                (reason, time.time(), self._run),
            ).rowcount

    def extracted(
        self,
        page: Unread,
        problem: str | None = None,
        leads: Iterable[Lead] = (),
        *,
        day: str | None = None,
        observed: Iterable[Observed] = (),
    ) -> Added:
        """Say that the article of *page* was extracted, or why it could not be, and enter what the page needs.

        *day* is the one it was published on, in ISO 8601; *observed*, what it shows beside what was known of it.

        A page that is asked for again meanwhile has another capture to be read, and this one says nothing about it.
        """
        with self._writing() as db:
            state = READ if problem is None else UNREADABLE
            read = db.execute(
                "UPDATE pages SET article = ?, reason = coalesce(?, reason), day = ?"
                " WHERE id = ? AND article = ? AND record_id = ?",
                (state, problem, day, page.id, UNREAD, page.record_id),
            ).rowcount
            if read:
                db.executemany(
                    "INSERT INTO observed (run, page, what, url, title, detail) VALUES (?, ?, ?, ?, ?, ?)",
                    ((self._run, page.id, *one) for one in observed),
                )
            step = Entering(db, self._run, unread=-read)
            step.enter(leads)
            return step.added()

    def show(self, template: str, keys: Iterable[str]) -> int:
        """Note that a listing of that *template* shows *keys*; return for how many pages in a row none was new."""
        with self._writing() as db:
            rows = [(template, key) for key in keys]
            fresh = db.executemany("INSERT OR IGNORE INTO shown VALUES (?, ?)", rows).rowcount if rows else 0
            if fresh > 0:
                db.execute("DELETE FROM barren WHERE template = ?", (template,))
                return 0
            (pages,) = db.execute(
                "INSERT INTO barren VALUES (?, 1) ON CONFLICT (template) DO UPDATE SET pages = pages + 1"
                " RETURNING pages",
                (template,),
            ).fetchone()
            return int(pages)

    # ---- reading, in another

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection that reads, and turn what SQLite raises into our errors."""
        with errors_of(self.path):
            yield self._reader

    @contextlib.contextmanager
    def _reading_aside(self) -> Iterator[sqlite3.Connection]:
        """Give a connection of its own to what reads in another thread.

        While a statement is under way, a connection sees what it saw when that began: turns read from it then would be
        of pages that have ended.
        """
        with errors_of(self.path), contextlib.closing(connected(self.path)) as db:
            yield db

    def facts(self) -> dict[str, str]:
        """Return what :meth:`note` kept."""
        with self.reading() as db:
            return dict(db.execute("SELECT name, value FROM crawl").fetchall())

    def pending(self, *, except_for: Collection[Kind] = ()) -> dict[str, int]:
        """Return how many pages are pending, by site; those of the kinds *except_for* only if they were asked for."""
        names = ", ".join("?" * len(except_for))
        with self.reading() as db:
            rows = db.execute(
                "SELECT site, count(*) FROM pages"  # noqa: S608 - question marks
                f" WHERE outcome IS NULL AND (kind NOT IN ({names}) OR tries > 0) GROUP BY site",
                tuple(except_for),
            )
            return dict(rows.fetchall())

    def due(self, site: str, now: float, limit: int, *, except_for: Collection[Kind] = ()) -> list[Page]:
        """Return the first *limit* pending pages of *site* that may be asked for *now*, in their order.

        Those of the kinds *except_for* are left out, unless they were asked for once.
        """
        names = ", ".join("?" * len(except_for))
        dated = " LEFT JOIN dated ON dated.page = pages.id" if self.order else ""
        by_day = {None: "", "newest": " dated.day IS NULL, dated.day DESC,", "oldest": " dated.day IS NULL, dated.day,"}
        with self.reading() as db:
            rows = db.execute(
                f"SELECT id, url, site, kind, priority, depth, via, hops, modified, tries FROM pages{dated}"  # noqa: S608 - question marks, and texts from above
                f" WHERE outcome IS NULL AND site = ? AND not_before <= ? AND (kind NOT IN ({names}) OR tries > 0)"
                f" ORDER BY priority,{by_day[self.order]} id LIMIT ?",
                (site, now, *except_for, limit),
            )
            return [Page(*row) for row in rows]

    def any_pending(self, kind: Kind) -> bool:
        """Tell whether any page of that *kind* is pending. May be asked in any thread."""
        with self._reading_aside() as db:
            sites = [row[0] for row in db.execute(_SITES)]
            return any(
                db.execute(
                    "SELECT 1 FROM pages WHERE outcome IS NULL AND site = ? AND priority <= 2 AND kind = ? LIMIT 1",
                    (site, kind),
                ).fetchone()
                for site in sites
            )

    def urls(self, kind: Kind) -> list[str]:
        """Return the addresses of that *kind* that an answer came for, or that the archive answered for.

        May be asked in any thread.
        """
        with self._reading_aside() as db:
            rows = db.execute(
                "SELECT url FROM pages WHERE kind = ? AND outcome IN ('saved', 'unchanged', 'skipped')"
                " AND record_id IS NOT NULL ORDER BY id",
                (kind,),
            )
            return [row[0] for row in rows]

    def next_due(self, site: str, now: float) -> float | None:
        """Return when, after *now*, the next of the pages of *site* that were put off may be asked for.

        Times are seconds since 1970; None when there is no such page.
        """
        with self.reading() as db:
            found = db.execute(
                "SELECT min(not_before) FROM pages WHERE outcome IS NULL AND site = ? AND not_before > ?", (site, now)
            )
            at: float | None = found.fetchone()[0]
            return at

    def unread(self, limit: int) -> list[Unread]:
        """Return the first *limit* pages whose articles are still to be extracted."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT id, url, outcome, record_id, file, offset, length, depth, hops FROM pages WHERE article = 0"
                " ORDER BY id LIMIT ?",
                (limit,),
            )
            return [
                Unread(row[0], row[1], row[2], row[3], Place(row[4], row[5], row[6]), row[7], row[8]) for row in rows
            ]

    def count_asked(self, kinds: Collection[Kind]) -> int:
        """Return how many pages of these *kinds* were asked for, those that are to be asked for again included."""
        names = ", ".join("?" * len(kinds))
        with self.reading() as db:
            found = db.execute(
                f"SELECT count(*) FROM pages WHERE kind IN ({names})"  # noqa: S608 - question marks
                " AND (outcome IN ('saved', 'unchanged', 'failed') OR (outcome IS NULL AND tries > 0))",
                tuple(kinds),
            )
            return int(found.fetchone()[0])

    def articles(self) -> dict[str, int]:
        """Return how many articles are ``waiting`` to be extracted, were ``extracted``, or are ``unreadable``.

        Those that an earlier crawl extracted from pages that this one skipped do not count.
        """
        words = {UNREAD: "waiting", READ: "extracted", UNREADABLE: "unreadable"}
        with self.reading() as db:
            rows = db.execute(
                "SELECT article, count(*) FROM pages"
                " WHERE article IS NOT NULL AND (article <> ? OR outcome <> 'skipped') GROUP BY article",
                (READ,),
            )
            return {words[row[0]]: row[1] for row in rows}

    def outcomes(self) -> dict[Outcome, int]:
        """Return how many pages ended in each outcome, the good ones first."""
        with self.reading() as db:
            rows = db.execute("SELECT outcome, count(*) FROM pages WHERE outcome IS NOT NULL GROUP BY outcome")
            found = dict(rows.fetchall())
            return {outcome: found[outcome] for outcome in OUTCOMES if outcome in found}

    def barren(self) -> dict[str, int]:
        """Return of how many listings in a row of each template none showed anything new."""
        with self.reading() as db:
            return dict(db.execute("SELECT template, pages FROM barren").fetchall())

    def reasons(self) -> list[Reason]:
        """Return why pages were not captured, or not well, the most frequent reasons first."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT CASE article WHEN ? THEN 'unreadable' ELSE outcome END became, reason, count(*), url, min(id)"
                " FROM pages WHERE outcome IN ('skipped', 'refused', 'failed') OR reason IS NOT NULL OR article = ?"
                " GROUP BY became, reason ORDER BY count(*) DESC, min(id)",
                (UNREADABLE, UNREADABLE),
            )  # the URL is that of the row with the least id (SQLite: bare columns beside min())
            return [Reason(*row[:4]) for row in rows]
