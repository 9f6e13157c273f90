"""All articles that a search finds, for whoever takes each: their numbers first, their texts a few at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime

from archive.catalog.query import QueryError, read
from archive.catalog.rows import article_of, place_of
from archive.catalog.search import Hit, asked


def numbers_of(
    db: sqlite3.Connection,
    query: str | None,
    identities: Sequence[str] | None,
    *,
    by_partition: bool,
    limit: int | None,
    publisher: str | None,
    author: str | None,
    section: str | None,
    since: datetime | None,
    until: datetime | None,
    as_of: datetime | None,
) -> list[int]:
    """Return the numbers of the articles that :meth:`archive.catalog.Catalog.each` yields, in its order."""
    where, values = asked(publisher, author, section, since, until, as_of)
    values["limit"] = -1 if limit is None else limit
    if query is not None and query.strip():
        where.append("a.id IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH :words)")
        values["words"] = read(query).fts5
    if identities is not None:
        where.append("a.identity IN (SELECT value FROM json_each(:identities))")
        values["identities"] = json.dumps(list(identities))
    order = "a.sorted_at DESC, a.record_id"
    rows = f"SELECT a.id, a.publisher, a.sorted_at, a.record_id FROM articles AS a WHERE {' AND '.join(where)}"  # noqa: S608 - conditions of ours, values bound
    rows += f" ORDER BY {order} LIMIT :limit"
    if by_partition:
        rows = f"SELECT id FROM ({rows}) AS a ORDER BY a.publisher, substr(a.sorted_at, 1, 4), {order}"  # noqa: S608 - as above
    try:
        return [row[0] for row in db.execute(rows, values)]
    except sqlite3.OperationalError as error:
        if "fts5" not in str(error):
            raise
        raise QueryError(query or "", 0, str(error)) from error


def hits_of(db: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[tuple[int, Hit]]:
    """Yield the articles with these *numbers*, in any order."""
    for row in db.execute(
        "SELECT * FROM articles WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(numbers)),)
    ):
        yield row["id"], Hit(article_of(row), place_of(row), row["record_id"], row["identity"])
