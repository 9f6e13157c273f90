"""What the catalogue tells of pages that are watched: their captures, what was read from them, who is young enough."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from archive.capture import Capture, iso, parse_iso
from archive.catalog.rows import capture_of

# The host of a normalised address stands before its first slash. By an index on it and the time what is young of one
# publication is found without a look at the rest.
_SITE = "substr(page, 1, instr(page || '/', '/') - 1)"
_DATED = "published IS NOT NULL AND listed = 1"
INDEXES = f"CREATE INDEX IF NOT EXISTS articles_by_site ON articles ({_SITE}, sorted_at) WHERE {_DATED}"


class Reading(NamedTuple):
    """What one capture of a page was read as. *published* is as the page says."""

    captured_at: datetime
    published: str | None
    title: str | None
    text_digest: str | None
    page_kind: str


def history(db: sqlite3.Connection, url: str, limit: int) -> list[Capture]:
    """Return the last *limit* captures of exactly *url* that hold an answer, the oldest first."""
    rows = db.execute(
        "SELECT * FROM captures WHERE url = ? AND status IS NOT NULL"
        " ORDER BY captured_at DESC, file DESC, offset DESC LIMIT ?",
        (url, limit),
    ).fetchall()
    return [capture_of(row) for row in reversed(rows)]


def readings(db: sqlite3.Connection, page: str) -> list[Reading]:
    """Return what was read from the captures of the normalised address *page*, in the order of capture.

    What stood in the article's place once, such as a consent wall, is left out.
    """
    rows = db.execute(
        "SELECT captured_at, published, title, text_digest, page_kind FROM articles"
        " WHERE page = ? AND content = 1 AND captured_at <> '' ORDER BY captured_at, file, offset",
        (page,),
    )
    return [Reading(parse_iso(row[0]), *row[1:]) for row in rows]


def young(db: sqlite3.Connection, hosts: Iterable[str], since: datetime) -> list[str]:
    """Return the URLs of articles of *hosts* that say that they were published at *since* or later.

    *hosts* are written as in normalised addresses. Publication on a day counts from its beginning.
    """
    found: dict[str, None] = {}
    for host in hosts:
        rows = db.execute(
            f"SELECT url FROM articles WHERE {_SITE} = ? AND sorted_at >= ? AND {_DATED}"  # noqa: S608 - a text of ours
            " ORDER BY sorted_at",
            (host, iso(since)),
        )
        found.update(dict.fromkeys(row[0] for row in rows))
    return list(found)
