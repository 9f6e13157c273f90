"""The frontier's file: its tables, its lock, and a connection to it."""

from __future__ import annotations

import fcntl
import functools
import os
import sqlite3
from pathlib import Path

from archive.errors import IndexDamaged
from archive.files import make_directory, sync_directory
from archive.sqlite import BUSY_S, create, execute, transaction, translated, version, write_ahead

# PRAGMA user_version
#   1
#   2  when pages ended, and in which run; what feeds and sitemaps listed; what was observed of articles
SCHEMA = 2
REMEDY = "delete it, and the crawl begins anew; what is archived already is not asked for again"
errors_of = functools.partial(translated, what="the frontier of the crawl", remedy=REMEDY)
UNREAD, READ, UNREADABLE = 0, 1, 2  # of an article: to be extracted, extracted, given up

# Those of schema 1, and what schema 2 has more.
TABLES = """
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

# Of crawls that go by the days of their pages (--order): which day that is.
DATED = "CREATE TABLE IF NOT EXISTS dated (page INTEGER PRIMARY KEY, day TEXT NOT NULL) STRICT"
# What the report of a run is made of (crawler/reports).
_ADDED = """
ALTER TABLE pages ADD COLUMN ended_at REAL;  -- seconds since 1970; when it got its outcome
ALTER TABLE pages ADD COLUMN run INTEGER;    -- in which it did, the first being 1
ALTER TABLE pages ADD COLUMN day TEXT;       -- ISO 8601: on which its article was published, once that is extracted
CREATE TABLE listed (
    page      INTEGER NOT NULL,
    source    INTEGER NOT NULL,              -- the feed or sitemap, a page as well
    published TEXT,                          -- ISO 8601, as that says
    PRIMARY KEY (page, source)
) STRICT, WITHOUT ROWID;
CREATE TABLE observed (
    id     INTEGER PRIMARY KEY,
    run    INTEGER NOT NULL,
    page   INTEGER NOT NULL,
    what   TEXT NOT NULL,                    -- new, changed, … (crawler/reports/observing.py)
    url    TEXT NOT NULL,
    title  TEXT,
    detail TEXT NOT NULL                     -- JSON
) STRICT;
"""


class FrontierBusy(Exception):
    """Another process runs this very crawl. Wait for it, or end it."""


def locked(path: Path) -> int:
    """Return a descriptor that holds the lock of the frontier at *path* until it is closed.

    Raises ``FrontierBusy`` while another process has it.
    """
    with errors_of(path):
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
    return lock


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection to the frontier at *path*; the first one makes its tables."""
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        write_ahead(db)
        db.execute("PRAGMA synchronous = FULL")  # a commit is on disk when it returns
        if version(db) == 0:
            create(db, TABLES + _ADDED, SCHEMA)
            sync_directory(path.parent)
        if version(db) == 1:  # a crawl that was begun by an earlier version goes on
            with transaction(db):
                execute(db, _ADDED)
                db.execute(f"PRAGMA user_version = {SCHEMA}")
        if (found := version(db)) != SCHEMA:
            raise IndexDamaged(
                str(path), f"it has schema {found}, and this version of newswarc {SCHEMA}", remedy=REMEDY
            )
        db.execute(DATED)
    except BaseException:
        db.close()
        raise
    return db
