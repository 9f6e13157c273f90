"""Search over articles: fields, full text, and the state of knowledge at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from archive.article import Article
from archive.capture import iso
from archive.catalog.facets import between, named
from archive.catalog.folding import fold
from archive.catalog.groups import Group
from archive.catalog.query import QueryError, read
from archive.catalog.rows import article_of, place_of
from archive.catalog.snippets import Snippet, snippet
from archive.catalog.words import terms
from archive.place import Place

_FOREVER = "9999"
# How much a word counts for in title, authors, section, tags, description and text.
_RANK = "bm25(8.0, 4.0, 2.0, 2.0, 3.0, 1.0, 0.0)"
# With more articles than the first, the most recent are ranked, and at least as many as the second, if there are.
MOST_RANKED, ENOUGH = 4_000, 1_000
WINDOWS = (30, 365, 3 * 365, 10 * 365)  # days
FEW = 2_000  # articles that are put in order themselves; more are looked for among all, from the newest
_FIRST, _MOST = 100, 5000  # ranked rows looked at in one go, the first time and at most
_NEWEST = """NOT EXISTS (
    SELECT 1 FROM articles AS b WHERE b.identity = a.identity AND b.captured_at <= :as_of
    AND (b.content, b.captured_at, b.file, b.offset) > (a.content, a.captured_at, a.file, a.offset))"""


@dataclass(frozen=True, slots=True)
class Hit:
    """An article found, as its newest version shows it, with the words around a match, and its group if asked for."""

    article: Article
    place: Place  # of its conversion record
    record_id: str  # of its conversion record
    identity: str
    snippet: Snippet | None = None
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
    where, values = asked(publisher, author, section, since, until, as_of)
    values["limit"] = limit
    narrowing = _narrowing(publisher, author, section, since, until)
    if query is None or not query.strip():
        return _newest_first(db, narrowing, " AND ".join(where), values)
    return _best_first(db, query, narrowing, " AND ".join(where), values)


def asked(
    publisher: str | None,
    author: str | None,
    section: str | None,
    since: datetime | None,
    until: datetime | None,
    as_of: datetime | None,
) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions that filters mean, and the values bound in them."""
    where = ["a.listed", "a.captured_at <= :as_of", _NEWEST]
    values: dict[str, Any] = {"as_of": iso(as_of) if as_of else _FOREVER}
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
    return where, values


def _narrowing(
    publisher: str | None, author: str | None, section: str | None, since: datetime | None, until: datetime | None
) -> list[str]:
    """Return conditions of the full-text index that hold for whatever is searched for, and for little else."""
    named_so = [named(name, value) for name, value in (("publisher", publisher), ("section", section)) if value]
    found = [f'facets : "{word}"' for word in named_so]
    if author and (words := terms(author)):
        found.append(f'authors : "{words}"')
    if days := between(since, until):
        found.append(_any_of(days))
    return found


def _any_of(words: Iterable[str]) -> str:
    quoted = " OR ".join(f'"{word}"' for word in words)
    return f"facets : ({quoted})"


def _newest_first(db: sqlite3.Connection, narrowing: Sequence[str], where: str, values: dict[str, Any]) -> list[Hit]:
    if narrowing:
        words = " AND ".join(narrowing)
        few = db.execute(
            "SELECT rowid FROM articles_fts WHERE articles_fts MATCH ? LIMIT ?", (words, FEW + 1)
        ).fetchall()
        if len(few) <= FEW:  # of more, some are soon met on the way from the newest
            where += " AND +a.id IN (SELECT value FROM json_each(:ids))"
            values["ids"] = json.dumps([row["rowid"] for row in few])
    rows = db.execute(
        f"SELECT * FROM articles AS a WHERE {where}"  # noqa: S608 - conditions of ours, values bound
        " ORDER BY a.sorted_at DESC, a.record_id LIMIT :limit",
        values,
    )
    return [_hit(row, None) for row in rows]


def _best_first(
    db: sqlite3.Connection, text: str, narrowing: Sequence[str], where: str, values: dict[str, Any]
) -> list[Hit]:
    query = read(text)
    accepted: list[tuple[float, sqlite3.Row]] = []
    try:
        words = " AND ".join(f"({part})" for part in (query.fts5, *narrowing))
        words, after = _recent(db, words, values)
        ranked = db.execute(
            "SELECT rowid, rank FROM articles_fts WHERE articles_fts MATCH ? AND rank MATCH ? AND rowid > ?"
            " ORDER BY rank",
            (words, _RANK, after),
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
        raise QueryError(text, 0, str(error)) from error
    accepted.sort(key=lambda found: found[1]["record_id"])
    accepted.sort(key=lambda found: found[1]["sorted_at"], reverse=True)
    accepted.sort(key=lambda found: found[0])
    chosen = [found[1]["id"] for found in accepted[: values["limit"]]]
    found = [db.execute("SELECT * FROM articles WHERE id = ?", (number,)).fetchone() for number in chosen]
    return [_hit(row, snippet(query, row["text"], row["description"], row["title"], row["authors"])) for row in found]


def _recent(db: sqlite3.Connection, words: str, values: Mapping[str, Any]) -> tuple[str, int]:
    """Return the query *words* narrowed to so recent articles that all of them can be ranked, and the row before them.

    Ranking costs a look at each article. Where there are too many even so, those count that were entered last.
    """
    wanted = max(ENOUGH, 2 * values["limit"])
    most = max(MOST_RANKED, wanted)
    if _count(db, words, most + 1) <= most:
        return words, 0
    (newest,) = db.execute("SELECT max(sorted_at) FROM articles WHERE sorted_at < ?", (_upper(values),)).fetchone()
    last = datetime.fromisoformat(newest)
    for days in WINDOWS:
        narrower = f"({words}) AND {_any_of(between(last - timedelta(days=days), last))}"
        if (count := _count(db, narrower, most + 1)) >= wanted:
            words = narrower
            break
    else:
        count = most + 1
    if count <= most:
        return words, 0
    sql = "SELECT rowid FROM articles_fts WHERE articles_fts MATCH ? ORDER BY rowid DESC LIMIT 1 OFFSET ?"
    return words, int(db.execute(sql, (words, most)).fetchone()["rowid"])


def _upper(values: Mapping[str, Any]) -> str:
    """Return a time before which all lie that are searched for, and that have happened."""
    return str(min(values.get("until", _FOREVER), values["as_of"]))


def _count(db: sqlite3.Connection, words: str, most: int) -> int:
    """Return how many articles have *words*, counting to *most*."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM articles_fts WHERE articles_fts MATCH ? LIMIT ?)"
    return int(db.execute(sql, (words, most)).fetchone()[0])


def _hit(row: sqlite3.Row, words: Snippet | None) -> Hit:
    return Hit(article_of(row), place_of(row), row["record_id"], row["identity"], words)
