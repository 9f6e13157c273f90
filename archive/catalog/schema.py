"""The tables of the catalogue, and how its file is opened."""

from __future__ import annotations

import functools
import sqlite3
import unicodedata
from pathlib import Path

from archive.errors import IndexDamaged
from archive.sqlite import BUSY_S, create, translated, version, write_ahead

SCHEMA = 1  # PRAGMA user_version

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
            write_ahead(db)
            # A power cut may lose the last rows, never the file: it is a cache.
            db.execute("PRAGMA synchronous = NORMAL")
            if version(db) == 0:
                create(db, _TABLES, SCHEMA)
            if (found := version(db)) != SCHEMA:
                age = "a later" if found > SCHEMA else "an earlier"
                raise IndexDamaged(
                    str(path), f"it was made by {age} version of newswarc (schema {found}; this one has {SCHEMA})"
                )
        except BaseException:
            db.close()
            raise
    return db


@functools.lru_cache(maxsize=4096)  # few publishers, sections and authors fill many rows
def fold(text: str | None) -> str | None:
    """Return *text* for comparison: letter case and accents do not count."""
    if text is None:
        return None
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in apart if not unicodedata.combining(char)).split())
