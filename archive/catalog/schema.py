"""The tables of the catalogue, and how its file is opened."""

from __future__ import annotations

import contextlib
import functools
import shutil
import sqlite3
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from archive.errors import DiskFull, IndexDamaged, StorageRefused, StorageUnavailable
from archive.files import is_full

SCHEMA = 1  # PRAGMA user_version
SHARED_FILE_BYTES = 32 << 10  # the least size of the -shm file (SQLite, "WAL-mode file format", 2)
BUSY_S = 60.0  # how long to wait while another process writes

_TABLES = """
CREATE TABLE captures (
    record_id      TEXT NOT NULL UNIQUE,
    url            TEXT NOT NULL,
    captured_at    TEXT NOT NULL,     -- ISO 8601, UTC, microseconds: sorts as text
    record_type    TEXT NOT NULL,
    status         INTEGER,
    mime           TEXT,
    payload_digest TEXT,
    file           TEXT NOT NULL,     -- storage key of the WARC
    offset         INTEGER NOT NULL,
    length         INTEGER NOT NULL,
    truncated      TEXT,
    profile        TEXT,
    refers_to      TEXT,
    refers_to_uri  TEXT,
    refers_to_date TEXT,
    redirect       TEXT
) STRICT;
CREATE INDEX captures_by_url ON captures (url, captured_at, file, offset);
CREATE INDEX captures_by_digest ON captures (payload_digest, captured_at, file, offset)
    WHERE record_type = 'response' AND truncated IS NULL AND status IS NOT NULL;

-- One row a conversion record: a capture extracted twice has two, and the later one counts.
CREATE TABLE articles (
    id             INTEGER PRIMARY KEY,
    record_id      TEXT NOT NULL UNIQUE,  -- of the conversion record
    capture_id     TEXT,                  -- of the response record
    captured_at    TEXT NOT NULL,         -- '' when unknown
    identity       TEXT NOT NULL,
    content        INTEGER NOT NULL,      -- 0: a block page, consent wall, error page or stub stood there instead
    listed         INTEGER NOT NULL,      -- 1: searches give it
    page           TEXT NOT NULL,         -- url, normalised
    canonical_page TEXT NOT NULL,         -- canonical_url, normalised, or page
    url            TEXT NOT NULL,
    canonical_url  TEXT,
    publisher      TEXT,
    article_id     TEXT,
    page_kind      TEXT NOT NULL,
    language       TEXT,
    published      TEXT,                  -- as the page says
    sorted_at      TEXT NOT NULL,         -- published in UTC, or captured_at
    title          TEXT,
    authors        TEXT,
    section        TEXT,
    tags           TEXT,
    description    TEXT,
    text           TEXT NOT NULL,
    text_digest    TEXT,
    json           TEXT NOT NULL,         -- the article without its text
    file           TEXT NOT NULL,
    offset         INTEGER NOT NULL,
    length         INTEGER NOT NULL
) STRICT;
CREATE INDEX articles_by_identity ON articles (identity, content, captured_at, file, offset);
CREATE INDEX articles_by_capture ON articles (capture_id);
CREATE INDEX articles_by_page ON articles (page);
CREATE INDEX articles_by_canonical_page ON articles (canonical_page);
CREATE INDEX articles_by_time ON articles (sorted_at);

-- One row a capture, the latest extraction of each; changed: not the title and text of the one before it.
CREATE VIEW article_versions AS
    SELECT extracted.*,
           coalesce(text IS NOT lag(text) OVER chain OR title IS NOT lag(title) OVER chain, 1) AS changed
    FROM articles AS extracted
    WHERE NOT EXISTS (
        SELECT 1 FROM articles AS later
        WHERE later.identity = extracted.identity AND later.content = extracted.content
          AND later.captured_at = extracted.captured_at AND later.capture_id IS extracted.capture_id
          AND (later.file, later.offset) > (extracted.file, extracted.offset)
    )
    WINDOW chain AS (PARTITION BY identity, content ORDER BY captured_at, file, offset);

CREATE VIRTUAL TABLE articles_fts USING fts5 (
    title, authors, section, tags, description, text,
    content = 'articles', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER articles_added AFTER INSERT ON articles BEGIN
    INSERT INTO articles_fts (rowid, title, authors, section, tags, description, text)
    VALUES (new.id, new.title, new.authors, new.section, new.tags, new.description, new.text);
END;
CREATE TRIGGER articles_removed AFTER DELETE ON articles BEGIN
    INSERT INTO articles_fts (articles_fts, rowid, title, authors, section, tags, description, text)
    VALUES ('delete', old.id, old.title, old.authors, old.section, old.tags, old.description, old.text);
END;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the catalogue at *path*, making it when there is none.

    Raises ``IndexDamaged`` when the file is no catalogue, is damaged, or has a schema of another version;
    ``StorageError`` when it cannot be opened.
    """
    with translated(path):
        db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            db.row_factory = sqlite3.Row
            db.create_function("fold", 1, fold, deterministic=True)
            _write_ahead(db)
            # A power cut may lose the last rows, never the file: it is a cache.
            db.execute("PRAGMA synchronous = NORMAL")
            if _version(db) == 0:
                _create(db)
            if (version := _version(db)) != SCHEMA:
                age = "a later" if version > SCHEMA else "an earlier"
                raise IndexDamaged(
                    str(path), f"it was made by {age} version of newswarc (schema {version}; this one has {SCHEMA})"
                )
        except BaseException:
            db.close()
            raise
    return db


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Say what SQLite's errors mean for whoever uses the catalogue at *path*."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        # For the file it shares with other processes SQLite needs 32 KiB, and calls it an I/O error to have none.
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
            raise DiskFull(f"{path}: no room for the catalogue: {error}") from error
        if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
            raise StorageRefused(f"{path}: the catalogue cannot be opened for writing: {error}") from error
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}:
            raise StorageUnavailable(f"{path}: the catalogue cannot be used now: {error}") from error
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
            raise IndexDamaged(str(path), str(error)) from error
        raise
    except OSError as error:
        if is_full(error):
            raise DiskFull(f"{path}: no room for the catalogue: {error}") from error
        if isinstance(error, PermissionError):
            raise StorageRefused(f"{path}: the catalogue cannot be opened for writing: {error}") from error
        raise StorageUnavailable(f"{path}: the catalogue cannot be used now: {error}") from error


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < SHARED_FILE_BYTES
    except OSError:
        return False


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """One writer at a time; all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@functools.lru_cache(maxsize=4096)  # few publishers, sections and authors fill many rows
def fold(text: str | None) -> str | None:
    """Return *text* for comparison: letter case and accents do not count."""
    if text is None:
        return None
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in apart if not unicodedata.combining(char)).split())


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _create(db: sqlite3.Connection) -> None:
    with transaction(db):
        if _version(db) == 0:  # or another process was quicker
            for statement in _statements(_TABLES):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA}")


def _statements(script: str) -> Iterator[str]:
    """Split *script*: ``executescript`` would end the transaction."""
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            yield gathered
            gathered = ""


def _write_ahead(db: sqlite3.Connection) -> None:
    """Let readers go on while one writes. The change of mode does not wait for others by itself."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
