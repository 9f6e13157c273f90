"""Search over articles: fields, full text, and the state of knowledge at a time."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archive.article import Article
from archive.capture import iso
from archive.catalog.groups import Group
from archive.catalog.query import QueryError, to_fts5
from archive.catalog.rows import article_of, place_of
from archive.catalog.schema import fold
from archive.place import Place

_FOREVER = "9999"
# How much a word counts for in title, authors, section, tags, description and text.
_RANK = "bm25(8.0, 4.0, 2.0, 2.0, 3.0, 1.0)"
_FIRST, _MOST = 100, 5000  # ranked rows looked at in one go, the first time and at most
_NEWEST = """NOT EXISTS (
    SELECT 1 FROM articles AS b WHERE b.identity = a.identity AND b.captured_at <= :as_of
    AND (b.content, b.captured_at, b.file, b.offset) > (a.content, a.captured_at, a.file, a.offset))"""


@dataclass(frozen=True, slots=True)
class Hit:
    """An article found, as its newest version shows it. *snippet* is of the words around a match, marked [so].

    *group* is there when it was asked for.
    """

    article: Article
    place: Place  # of its conversion record
    record_id: str  # of its conversion record
    identity: str
    snippet: str | None = None
    group: Group | None = None


def find(
    db: sqlite3.Connection,
    query: str | None,
    *,
    publisher: str | None,
    author: str | None,
    section: str | None,
    since: datetime | None,
    until: datetime | None,
    as_of: datetime | None,
    limit: int,
) -> list[Hit]:
    """Return what :meth:`archive.catalog.Catalog.articles` returns."""
    where = ["a.listed", "a.captured_at <= :as_of", _NEWEST]
    values: dict[str, Any] = {"as_of": iso(as_of) if as_of else _FOREVER, "limit": limit}
    for condition, name, value in (
        ("fold(a.publisher) = :publisher", "publisher", fold(publisher)),
        ("fold(a.section) = :section", "section", fold(section)),
        ("instr(fold(a.authors), :author) > 0", "author", fold(author)),
        ("a.sorted_at >= :since", "since", iso(since) if since else None),
        ("a.sorted_at < :until", "until", iso(until) if until else None),
    ):
        if value is not None:
            where.append(condition)
            values[name] = value
    if query is None or not query.strip():
        return _newest_first(db, " AND ".join(where), values)
    return _best_first(db, query, " AND ".join(where), values)


def _newest_first(db: sqlite3.Connection, where: str, values: dict[str, Any]) -> list[Hit]:
    rows = db.execute(
        f"SELECT * FROM articles AS a WHERE {where}"  # noqa: S608 - conditions of ours, values bound
        " ORDER BY a.sorted_at DESC, a.record_id LIMIT :limit",
        values,
    )
    return [_hit(row, None) for row in rows]


def _best_first(db: sqlite3.Connection, query: str, where: str, values: dict[str, Any]) -> list[Hit]:
    words = to_fts5(query)
    accepted: list[tuple[float, sqlite3.Row]] = []
    try:
        ranked = db.execute(
            "SELECT rowid, rank FROM articles_fts WHERE articles_fts MATCH ? AND rank MATCH ? ORDER BY rank",
            (words, _RANK),
        )
        # A common word is in every second article, and what else is asked costs a look at each: so best first, until
        # there are enough.
        count = _FIRST
        while len(accepted) < values["limit"] and (some := dict(map(tuple, ranked.fetchmany(count)))):
            rows = db.execute(
                "SELECT a.id, a.sorted_at, a.record_id FROM articles AS a"  # noqa: S608 - conditions of ours, values bound
                f" WHERE a.id IN (SELECT value FROM json_each(:ids)) AND {where}",
                {**values, "ids": json.dumps(list(some))},
            )
            accepted += [(some[row["id"]], row) for row in rows]
            count = min(count * 4, _MOST)
    except sqlite3.OperationalError as error:
        if "fts5" not in str(error):
            raise
        raise QueryError(query, 0, str(error)) from error
    accepted.sort(key=lambda found: found[1]["record_id"])
    accepted.sort(key=lambda found: found[1]["sorted_at"], reverse=True)
    accepted.sort(key=lambda found: found[0])
    return [_hit_with_words(db, words, row["id"]) for _, row in accepted[: values["limit"]]]


def _hit_with_words(db: sqlite3.Connection, words: str, number: int) -> Hit:
    row = db.execute("SELECT * FROM articles WHERE id = ?", (number,)).fetchone()
    (snippet,) = db.execute(
        "SELECT snippet(articles_fts, -1, '[', ']', '…', 24) FROM articles_fts"
        " WHERE articles_fts MATCH ? AND rowid = ?",
        (words, number),
    ).fetchone()
    return _hit(row, snippet)


def _hit(row: sqlite3.Row, snippet: str | None) -> Hit:
    return Hit(article_of(row), place_of(row), row["record_id"], row["identity"], snippet)
