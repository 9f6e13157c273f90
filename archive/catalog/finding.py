"""Which article an address leads to."""

from __future__ import annotations

import sqlite3

from archive.catalog.addresses import address_of
from archive.catalog.groups import Groups
from archive.catalog.identity import normalised
from archive.catalog.relations import MOST_CLAIMANTS
from archive.sqlite import snapshot

_MAX_HOPS = 10  # redirects followed from an archived URL to its article


def identity_at(db: sqlite3.Connection, url: str) -> str | None:
    """Return the identity of the article at *url*; of one that *url* was redirected to, or is another form of.

    None when there is none. An identity is its own.
    """
    hops = [url]
    while len(hops) <= _MAX_HOPS:
        row = db.execute(
            "SELECT identity FROM articles WHERE page = :page OR identity = :url"
            " ORDER BY url = :url DESC, content DESC, captured_at DESC, file DESC, offset DESC LIMIT 1",
            {"page": normalised(hops[-1]), "url": hops[-1]},
        ).fetchone()
        if row is not None:
            return str(row["identity"])
        row = db.execute(
            "SELECT redirect FROM captures WHERE url = ? AND redirect IS NOT NULL"
            " ORDER BY captured_at DESC, file DESC, offset DESC LIMIT 1",
            (hops[-1],),
        ).fetchone()
        if row is None or row["redirect"].partition("#")[0] in hops:
            break
        hops.append(row["redirect"].partition("#")[0])
    return next((found for hop in hops if (found := _elsewhere(db, hop))), None)


def _elsewhere(db: sqlite3.Connection, url: str) -> str | None:
    """Return the article of which *url* looks like another form, or that names *url*, when no other article does."""
    rows = db.execute(
        "SELECT a.identity, c.role FROM claims AS c JOIN articles AS a ON a.id = c.article"
        " WHERE c.place = ? AND c.role IN ('self', 'canonical', 'amp', 'print')"
        " ORDER BY c.role != 'self', a.form IS NOT NULL, a.content DESC, a.captured_at DESC, a.file DESC,"
        " a.offset DESC LIMIT ?",
        (address_of(url).place, MOST_CLAIMANTS + 1),
    ).fetchall()
    if not rows:
        return None
    if rows[0]["role"] != "self":
        with snapshot(db):
            groups = Groups(db)
            if len(rows) > MOST_CLAIMANTS or len({groups.group(row["identity"]).id for row in rows}) > 1:
                return None
    return str(rows[0]["identity"])
