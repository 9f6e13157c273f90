"""What the catalogue held of an article before a moment: how it was read last, and whether it was gone since."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from archive.article import Article
from archive.capture import iso
from archive.catalog.identity import form_of, identity_of, normalised
from archive.catalog.rows import article_of
from archive.standing import SHOWN_KINDS, Standing, is_front, standing

IsListing = Callable[[str], bool]

MAX_HOPS = 5  # redirects one after the other
LOOKED_AT = 50  # captures of an address, the newest: a server that fails for longer tells nothing of its articles

_SHOWN = ", ".join(f"'{kind}'" for kind in sorted(SHOWN_KINDS))


@dataclass(frozen=True, slots=True)
class Earlier:
    """*article* is the last reading of it as an article, None when there was none; *standing* is that of its address.

    Where a capture of the address tells nothing, the one before it does. Of what was no article nothing is told.
    """

    article: Article | None = None
    standing: Standing | None = None


def earlier(db: sqlite3.Connection, article: Article, is_listing: IsListing = is_front) -> Earlier:
    """Return what was held of *article* before it was captured, under whatever address of the same identity.

    *is_listing* tells whether an address is that of a front page or section: an article that leads there is gone.
    """
    at = article.captured_at or ""
    row = _last_shown(db, identity_of(article), at)
    if row is None:
        return Earlier()
    return Earlier(article_of(row), standing_before(db, article.url, at, is_listing))


def shown_at(db: sqlite3.Connection, url: str) -> Article | None:
    """Return the last reading, as an article, of what *url* is an address of; another form than its own is none."""
    row = db.execute(
        f"SELECT identity FROM articles WHERE page = ? AND content = 1 AND page_kind IN ({_SHOWN})"  # noqa: S608 - our names
        " ORDER BY captured_at DESC, file DESC, offset DESC LIMIT 1",
        (normalised(url),),
    ).fetchone()
    last = _last_shown(db, row["identity"], "~") if row is not None else None
    found = article_of(last) if last is not None else None
    return found if found is not None and form_of(found) is None else None


def _last_shown(db: sqlite3.Connection, identity: str, before: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM articles WHERE identity = ? AND content = 1 AND captured_at < ?"  # noqa: S608 - our names
        f" AND page_kind IN ({_SHOWN}) ORDER BY captured_at DESC, file DESC, offset DESC LIMIT 1",
        (identity, before),
    ).fetchone()
    return found


def standing_before(
    db: sqlite3.Connection, url: str, before: str | datetime, is_listing: IsListing = is_front, hops: int = MAX_HOPS
) -> Standing | None:
    """Return what the last capture of exactly *url* before that time told of it, of those that told anything."""
    at = iso(before) if isinstance(before, datetime) else before
    # All of them at once: where one leads is looked up in between.
    rows = db.execute(
        "SELECT status, redirect, record_id FROM captures WHERE url = ? AND captured_at < ?"
        " ORDER BY captured_at DESC, file DESC, offset DESC LIMIT ?",
        (url, at, LOOKED_AT if hops == MAX_HOPS else 1),
    ).fetchall()
    for row in rows:
        read = db.execute(
            "SELECT * FROM articles WHERE capture_id = ? ORDER BY file DESC, offset DESC LIMIT 1", (row["record_id"],)
        ).fetchone()
        nowhere = row["redirect"] is not None and (
            is_listing(row["redirect"])
            or (hops > 0 and standing_before(db, row["redirect"], at, is_listing, hops - 1) == "gone")
        )
        if told := standing(row["status"], article_of(read) if read is not None else None, leads_nowhere=nowhere):
            return told
    return None
