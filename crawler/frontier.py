"""The frontier: every address of a crawl and what became of it, in one SQLite file that no kill can empty.

Scrapy's own queues keep what is pending in files that are written when a crawl ends well: after ``kill -9`` the next
run finds nothing, says nothing, and finishes. Here a page is *done* in the very transaction that enters what it leads
to, with the place of its capture; until then it is pending, whatever was done about it, and the next run asks for it
again. The key of an address is unique in the table, which so is the filter of duplicates as well.

Nothing is marked as being under way: that is known to the process that holds the file's lock, and ends with it.

    FrontierBusy   another process runs this very crawl
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Self, get_args

from archive.errors import IndexDamaged
from archive.files import make_directory, sync_directory
from archive.place import Place
from archive.sqlite import BUSY_S, create, translated, version, write_ahead
from crawler.entering import Added, Entering

Kind = Literal["home", "feed", "sitemap", "section", "article", "page", "print", "requisite"]
Outcome = Literal["saved", "unchanged", "skipped", "refused", "failed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

SCHEMA = 1
_REMEDY = "delete it, and the crawl begins anew; what is archived already is not asked for again"
_translated = functools.partial(translated, what="the frontier of the crawl", remedy=_REMEDY)
_UNREAD, _READ, _UNREADABLE = 0, 1, 2  # of an article: to be extracted, extracted, given up

_TABLES = """
CREATE TABLE pages (
    id         INTEGER PRIMARY KEY,     -- in the order in which they were found
    key        TEXT NOT NULL UNIQUE,    -- what makes two addresses one page
    url        TEXT NOT NULL,           -- as it is asked for
    site       TEXT NOT NULL,           -- host, and port when it is not the scheme's own: what politeness counts by
    kind       TEXT NOT NULL,
    priority   INTEGER NOT NULL,        -- the lowest first
    depth      INTEGER NOT NULL,        -- links from a seed
    via        TEXT,                    -- the page that led here
    hops       TEXT NOT NULL,           -- the path from a seed, in the letters of WARC's hopsFromSeed
    modified   TEXT,                    -- ISO 8601: when it was last changed, as a sitemap or feed says
    tries      INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0, -- seconds since 1970
    outcome    TEXT,                    -- NULL: pending
    reason     TEXT,                    -- why it was skipped, refused, or failed
    status     INTEGER,
    record_id  TEXT,                    -- of the capture, and where it lies
    file       TEXT,
    offset     INTEGER,
    length     INTEGER,
    article    INTEGER                  -- 0: to be extracted, 1: extracted, 2: could not be
) STRICT;
CREATE INDEX pending ON pages (site, priority, id) WHERE outcome IS NULL;
CREATE INDEX unread ON pages (id) WHERE article = 0;
-- What each kind of listing has shown so far, to tell those that lead nowhere new (crawler/traps.py).
CREATE TABLE shown (template TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (template, key)) STRICT, WITHOUT ROWID;
CREATE TABLE barren (template TEXT PRIMARY KEY, pages INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE crawl (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


class FrontierBusy(Exception):
    """Another process runs this very crawl. Wait for it, or end it."""


class Lead(NamedTuple):
    """An address that something leads to, not yet in the frontier. *skip* says why it is not to be asked for at all."""

    key: str
    url: str
    site: str
    kind: Kind
    priority: int
    depth: int = 0
    via: str | None = None
    hops: str = ""
    modified: str | None = None
    skip: str | None = None


class Page(NamedTuple):
    """An address that is pending."""

    id: int
    url: str
    site: str
    kind: Kind
    priority: int
    depth: int
    via: str | None
    hops: str
    modified: str | None
    tries: int


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a page. *extract*: an article is to be read out of its capture."""

    outcome: Outcome
    reason: str | None = None
    status: int | None = None
    record_id: str | None = None
    place: Place | None = None
    extract: bool = False


class Unread(NamedTuple):
    """A page whose article is still to be extracted from its capture."""

    id: int
    url: str
    outcome: Outcome
    record_id: str
    place: Place
    depth: int
    hops: str


class Reason(NamedTuple):
    """Why that many *pages* ended in *outcome*, or ``unreadable`` for their articles; *url* is the first one's."""

    outcome: str
    reason: str | None
    pages: int
    url: str


class Frontier:
    """One crawl's frontier, open and locked. Two threads may use it: one that writes, one that reads.

    What is written is durable once :meth:`commit` has returned. Methods raise ``StorageError``, ``DiskFull``, or
    ``IndexDamaged`` when the file cannot be used.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path, self._lock = path, lock
        self._lost: BaseException | None = None  # what ended a transaction before its commit
        with _translated(path):
            self._writer = self._connect()
            self._reader = self._connect()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the frontier at *path*, new or as an earlier run left it.

        Raises ``FrontierBusy`` while another process has it.
        """
        with _translated(path):
            make_directory(path.parent)
            lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = os.pread(lock, 20, 0).decode(errors="replace")
                os.close(lock)
                raise FrontierBusy(
                    f"this crawl is running already (process {holder or 'unknown'}); wait for it, or end it first"
                ) from error
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
        try:
            return cls(path, lock)
        except BaseException:
            os.close(lock)
            raise

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            db.row_factory = sqlite3.Row
            write_ahead(db)
            db.execute("PRAGMA synchronous = FULL")  # a commit is on disk when it returns
            if version(db) == 0:
                create(db, _TABLES, SCHEMA)
                sync_directory(self.path.parent)
            if (found := version(db)) != SCHEMA:
                raise IndexDamaged(
                    str(self.path), f"it has schema {found}, and this version of newswarc {SCHEMA}", remedy=_REMEDY
                )
        except BaseException:
            db.close()
            raise
        return db

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
        with _translated(self.path):
            for ending in ("-wal", "-shm", ""):
                Path(f"{self.path}{ending}").unlink(missing_ok=True)
        self.close()  # the lock last: what another run opens is not deleted under it

    # ---- writing, in one thread

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One step of a group: all of it or nothing, whatever becomes of the others."""
        with _translated(self.path):
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
        with _translated(self.path):
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

    def add(self, leads: Iterable[Lead]) -> Added:
        """Enter *leads*; of those whose key is known already only the news of a change is kept."""
        with self._writing() as db:
            step = Entering(db)
            step.enter(leads)
            return step.added()

    def finish(self, page_id: int, done: Done, leads: Iterable[Lead] = (), *, modified: str | None = None) -> Added:
        """Say what became of a page and enter what it leads to: both or neither.

        *modified* is when it was last changed, as far as was known when it was asked for.
        Raises ``LookupError`` when the page is not pending: nothing is done twice.
        """
        place = done.place or Place("", 0, 0)
        with self._writing() as db:
            changed = db.execute(
                "UPDATE pages SET outcome = ?, reason = ?, status = ?, record_id = ?, file = ?, offset = ?, length = ?,"
                " article = ? WHERE id = ? AND outcome IS NULL",
                (
                    done.outcome,
                    done.reason,
                    done.status,
                    done.record_id,
                    place.key or None,
                    place.offset if place.key else None,
                    place.length if place.key else None,
                    _UNREAD if done.extract else None,
                    page_id,
                ),
            ).rowcount
            if changed != 1:
                raise LookupError(f"page {page_id} of {self.path} is not pending")
            step = Entering(db, unread=int(done.extract))
            step.enter(leads)
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
                "UPDATE pages SET outcome = 'skipped', reason = ? WHERE outcome IS NULL", (reason,)
            ).rowcount

    def extracted(self, page: Unread, problem: str | None = None, leads: Iterable[Lead] = ()) -> Added:
        """Say that the article of *page* was extracted, or why it could not be, and enter what the page needs.

        A page that is asked for again meanwhile has another capture to be read, and this one says nothing about it.
        """
        with self._writing() as db:
            state = _READ if problem is None else _UNREADABLE
            read = db.execute(
                "UPDATE pages SET article = ?, reason = coalesce(?, reason)"
                " WHERE id = ? AND article = ? AND record_id = ?",
                (state, problem, page.id, _UNREAD, page.record_id),
            ).rowcount
            step = Entering(db, unread=-read)
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
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with _translated(self.path):
            yield self._reader

    def facts(self) -> dict[str, str]:
        """Return what :meth:`note` kept."""
        with self._reading() as db:
            return dict(db.execute("SELECT name, value FROM crawl").fetchall())

    def pending(self, *, except_for: Collection[Kind] = ()) -> dict[str, int]:
        """Return how many pages are pending, by site; those of the kinds *except_for* do not count."""
        names = ", ".join("?" * len(except_for))
        with self._reading() as db:
            rows = db.execute(
                f"SELECT site, count(*) FROM pages WHERE outcome IS NULL AND kind NOT IN ({names}) GROUP BY site",  # noqa: S608 - question marks
                tuple(except_for),
            )
            return dict(rows.fetchall())

    def due(self, site: str, now: float, limit: int, *, except_for: Collection[Kind] = ()) -> list[Page]:
        """Return the first *limit* pending pages of *site* that may be asked for *now*, in their order.

        Those of the kinds *except_for* are left out.
        """
        names = ", ".join("?" * len(except_for))
        with self._reading() as db:
            rows = db.execute(
                "SELECT id, url, site, kind, priority, depth, via, hops, modified, tries FROM pages"  # noqa: S608 - question marks
                f" WHERE outcome IS NULL AND site = ? AND not_before <= ? AND kind NOT IN ({names})"
                " ORDER BY priority, id LIMIT ?",
                (site, now, *except_for, limit),
            )
            return [Page(*row) for row in rows]

    def next_due(self, site: str, now: float) -> float | None:
        """Return when, after *now*, the next of the pages of *site* that were put off may be asked for.

        Times are seconds since 1970; None when there is no such page.
        """
        with self._reading() as db:
            found = db.execute(
                "SELECT min(not_before) FROM pages WHERE outcome IS NULL AND site = ? AND not_before > ?", (site, now)
            )
            at: float | None = found.fetchone()[0]
            return at

    def unread(self, limit: int) -> list[Unread]:
        """Return the first *limit* pages whose articles are still to be extracted."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT id, url, outcome, record_id, file, offset, length, depth, hops FROM pages WHERE article = 0"
                " ORDER BY id LIMIT ?",
                (limit,),
            )
            return [
                Unread(row[0], row[1], row[2], row[3], Place(row[4], row[5], row[6]), row[7], row[8]) for row in rows
            ]

    def count_asked(self, kinds: Collection[Kind]) -> int:
        """Return how many pages of these *kinds* were asked for and are done."""
        names = ", ".join("?" * len(kinds))
        with self._reading() as db:
            found = db.execute(
                f"SELECT count(*) FROM pages WHERE kind IN ({names}) AND outcome IN ('saved', 'unchanged', 'failed')",  # noqa: S608 - question marks
                tuple(kinds),
            )
            return int(found.fetchone()[0])

    def articles(self) -> dict[str, int]:
        """Return how many articles are ``waiting`` to be extracted, were ``extracted``, or are ``unreadable``.

        Those that an earlier crawl extracted from pages that this one skipped do not count.
        """
        words = {_UNREAD: "waiting", _READ: "extracted", _UNREADABLE: "unreadable"}
        with self._reading() as db:
            rows = db.execute(
                "SELECT article, count(*) FROM pages"
                " WHERE article IS NOT NULL AND (article <> ? OR outcome <> 'skipped') GROUP BY article",
                (_READ,),
            )
            return {words[row[0]]: row[1] for row in rows}

    def outcomes(self) -> dict[Outcome, int]:
        """Return how many pages ended in each outcome, the good ones first."""
        with self._reading() as db:
            rows = db.execute("SELECT outcome, count(*) FROM pages WHERE outcome IS NOT NULL GROUP BY outcome")
            found = dict(rows.fetchall())
            return {outcome: found[outcome] for outcome in OUTCOMES if outcome in found}

    def trapped(self, limit: int) -> set[str]:
        """Return the templates of which the last *limit* listings or more showed nothing new."""
        with self._reading() as db:
            return {row[0] for row in db.execute("SELECT template FROM barren WHERE pages >= ?", (limit,))}

    def reasons(self) -> list[Reason]:
        """Return why pages were not captured, or not well, the most frequent reasons first."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT CASE article WHEN ? THEN 'unreadable' ELSE outcome END became, reason, count(*), url, min(id)"
                " FROM pages WHERE outcome IN ('skipped', 'refused', 'failed') OR status >= 400 OR article = ?"
                " GROUP BY became, reason ORDER BY count(*) DESC, min(id)",
                (_UNREADABLE, _UNREADABLE),
            )  # the URL is that of the row with the least id (SQLite: bare columns beside min())
            return [Reason(*row[:4]) for row in rows]
