"""The tables of the catalogue, and how its file is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from archive.catalog.facets import facets
from archive.catalog.folding import fold
from archive.catalog.rows import article_of, article_row, place_of
from archive.catalog.watching import INDEXES
from archive.catalog.words import terms
from archive.errors import IndexDamaged
from archive.sqlite import BUSY_S, create, execute, transaction, translated, version, write_ahead

# PRAGMA user_version
#   1
#   2  claims, bands and what they are made of; the identity of an article no longer goes by its canonical address
#   3  full text by archive.catalog.words
SCHEMA = 3

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
    form           TEXT,                  -- amp, print; NULL: the article's own page
    claims         TEXT NOT NULL,         -- JSON, of archive.catalog.claims
    fingerprint    BLOB,                  -- these four of archive.catalog.copies; NULL: too short to have copies
    bands          BLOB,
    numbers        BLOB,
    figures        BLOB,
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
CREATE INDEX articles_by_time ON articles (sorted_at);

"""

# Articles by the terms of their words. What divides words is decided in archive.catalog.words, and is a space here.
_FULL_TEXT = """
CREATE VIEW articles_terms AS
    SELECT id, terms(title) AS title, terms(authors) AS authors, terms(section) AS section, terms(tags) AS tags,
           terms(description) AS description, terms(text) AS text,
           facets(publisher, section, language, sorted_at) AS facets
    FROM articles;
CREATE VIRTUAL TABLE articles_fts USING fts5 (
    title, authors, section, tags, description, text, facets,
    content = 'articles_terms', content_rowid = 'id',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'"
);
CREATE TRIGGER articles_added AFTER INSERT ON articles BEGIN
    INSERT INTO articles_fts (rowid, title, authors, section, tags, description, text, facets)
    VALUES (new.id, terms(new.title), terms(new.authors), terms(new.section), terms(new.tags),
            terms(new.description), terms(new.text),
            facets(new.publisher, new.section, new.language, new.sorted_at));
END;
CREATE TRIGGER articles_removed AFTER DELETE ON articles BEGIN
    INSERT INTO articles_fts (articles_fts, rowid, title, authors, section, tags, description, text, facets)
    VALUES ('delete', old.id, terms(old.title), terms(old.authors), terms(old.section), terms(old.tags),
            terms(old.description), terms(old.text),
            facets(old.publisher, old.section, old.language, old.sorted_at));
END;
"""

_VIEWS = """
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
"""

# What articles are related by. All of it follows from their rows, and triggers see to that: so it does not depend on
# the order in which they were entered, and goes when they go.
_RELATIONS = """
CREATE INDEX articles_by_fingerprint ON articles (fingerprint, identity) WHERE fingerprint IS NOT NULL;
CREATE TABLE claims (
    place    TEXT NOT NULL,
    role     TEXT NOT NULL,
    article  INTEGER NOT NULL,
    language TEXT NOT NULL,               -- last: SQLite 3.40's quick_check takes another order for NULL values
    PRIMARY KEY (place, role, article, language)
) STRICT, WITHOUT ROWID;
CREATE TABLE bands (
    band        BLOB NOT NULL,
    fingerprint BLOB NOT NULL,            -- of a text, which any number of articles may have
    PRIMARY KEY (band, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE VIEW claimed AS
    SELECT json_extract(value, '$[0]') AS place, json_extract(value, '$[1]') AS role,
           json_extract(value, '$[2]') AS language, articles.id AS article
    FROM articles, json_each(articles.claims);
CREATE VIEW banded AS
    SELECT DISTINCT substr(bands, 1 + 8 * value, 8) AS band, fingerprint
    FROM articles, json_each('[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]') WHERE fingerprint IS NOT NULL;
CREATE TRIGGER articles_related AFTER INSERT ON articles BEGIN
    INSERT INTO claims (place, role, language, article)
    SELECT place, role, language, article FROM claimed WHERE article = new.id;
    INSERT OR IGNORE INTO bands (band, fingerprint)
    SELECT substr(new.bands, 1 + 8 * value, 8), new.fingerprint
    FROM json_each('[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]') WHERE new.fingerprint IS NOT NULL;
END;
CREATE TRIGGER articles_unrelated AFTER DELETE ON articles BEGIN
    DELETE FROM claims WHERE article = old.id
    AND place IN (SELECT json_extract(value, '$[0]') FROM json_each(old.claims));
    DELETE FROM bands WHERE fingerprint = old.fingerprint
    AND band IN (SELECT substr(old.bands, 1 + 8 * value, 8)
                 FROM json_each('[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]'))
    AND NOT EXISTS (SELECT 1 FROM articles WHERE fingerprint = old.fingerprint);
END;
"""

# Of a catalogue of schema 1: the columns that schema 2 has and it has not.
_ADDED = """
DROP VIEW article_versions;
DROP INDEX articles_by_canonical_page;
ALTER TABLE articles DROP COLUMN canonical_page;
ALTER TABLE articles ADD COLUMN form TEXT;
ALTER TABLE articles ADD COLUMN claims TEXT NOT NULL DEFAULT '[]';
ALTER TABLE articles ADD COLUMN fingerprint BLOB;
ALTER TABLE articles ADD COLUMN bands BLOB;
ALTER TABLE articles ADD COLUMN numbers BLOB;
ALTER TABLE articles ADD COLUMN figures BLOB;
"""
_FILLED = """
INSERT INTO claims (place, role, language, article) SELECT place, role, language, article FROM claimed ORDER BY 1, 2, 4;
INSERT INTO bands (band, fingerprint) SELECT band, fingerprint FROM banded ORDER BY 1, 2;
"""


_WITHOUT_FULL_TEXT = """
DROP TRIGGER articles_added;
DROP TRIGGER articles_removed;
DROP TABLE articles_fts;
"""
_EARLIER = (1, 2)


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
            db.create_function("terms", 1, terms, deterministic=True)
            db.create_function("facets", 4, facets, deterministic=True)
            write_ahead(db)
            # A power cut may lose the last rows, never the file: it is a cache.
            db.execute("PRAGMA synchronous = NORMAL")
            if version(db) == 0:
                create(db, _TABLES + _FULL_TEXT + _VIEWS + _RELATIONS, SCHEMA)
            if version(db) in _EARLIER:
                _upgrade(db)
            if (found := version(db)) != SCHEMA:
                age = "a later" if found > SCHEMA else "an earlier"
                raise IndexDamaged(
                    str(path), f"it was made by {age} version of newswarc (schema {found}; this one has {SCHEMA})"
                )
            db.execute(INDEXES)  # more than the schema needs; an earlier version keeps it up to date, too
        except BaseException:
            db.close()
            raise
    return db


def _upgrade(db: sqlite3.Connection) -> None:
    """Make a catalogue of an earlier schema one of this, all of it or nothing.

    Nothing is read but the rows themselves: a writer's files that are not published yet keep theirs. Whoever has the
    file open with an earlier version finds a column missing, and calls it damaged.
    """
    with transaction(db):
        found = version(db)
        if found not in _EARLIER:  # another process was quicker
            return
        if found == 1:
            _relate(db)
        execute(db, _WITHOUT_FULL_TEXT + _FULL_TEXT)
        db.execute("INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')")
        db.execute(f"PRAGMA user_version = {SCHEMA}")


def _relate(db: sqlite3.Connection) -> None:
    """Make a catalogue of schema 1 one of schema 2, within a transaction."""
    execute(db, _ADDED)
    last = 0
    while rows := db.execute("SELECT * FROM articles WHERE id > ? ORDER BY id LIMIT 500", (last,)).fetchall():
        for row in rows:
            made = article_row(row["record_id"], article_of(row), place_of(row))
            db.execute(
                "UPDATE articles SET identity = :identity, form = :form, claims = :claims,"
                " fingerprint = :fingerprint, bands = :bands, numbers = :numbers, figures = :figures"
                " WHERE record_id = :record_id",
                made,
            )
        last = rows[-1]["id"]
    execute(db, _VIEWS + _RELATIONS + _FILLED)
