"""What the catalogue is asked, and how it is filled."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archive.article import Article
from archive.capture import Capture, iso, parse_iso
from archive.catalog import schema, watching
from archive.catalog.each import hits_of, numbers_of
from archive.catalog.finding import identity_at
from archive.catalog.groups import Groups, Same
from archive.catalog.history import Earlier, IsListing, earlier, shown_at, standing_before
from archive.catalog.identity import identity_of
from archive.catalog.replacing import Gate
from archive.catalog.rows import EVIDENCE_KINDS, article_of, article_row, capture_of, capture_row, place_of
from archive.catalog.search import Hit, find
from archive.drift import Fact, fact_of
from archive.errors import IndexDamaged
from archive.place import Place
from archive.sqlite import snapshot, transaction, translated
from archive.standing import Standing, is_front

_READ_AT_ONCE = 200  # articles, whose texts are then in memory


@dataclass(frozen=True, slots=True)
class Version:
    """An article as one capture showed it. *changed*: its title or text are not those of the version before."""

    article: Article
    place: Place
    record_id: str
    changed: bool


class Catalog:
    """The catalogue in the SQLite file *path*. Several processes may use it at once, and several threads one object.

    Every method raises ``IndexDamaged`` when the file cannot be understood, ``StorageError`` when it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._gate = Gate(path)
        try:
            with self._gate.held():
                self._db = schema.connect(path)
                self._inode = self._inode_now()
        except BaseException:
            self._gate.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._gate.close()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- filling

    def add(self, captures: Iterable[Capture], articles: Iterable[tuple[str, Article, Place]]) -> None:
        """Enter captures, and articles each with the id and place of its conversion record; all of them or none.

        What is there already stays. A record found in two files counts where it comes first by key and offset.
        """
        capture_rows = [capture_row(capture) for capture in captures]
        article_rows = [article_row(*article) for article in articles]
        with self._writing() as db:
            if capture_rows:
                db.executemany(_upsert(capture_rows[0]), capture_rows)
            for row in article_rows:
                name = (row["record_id"],)
                there = db.execute("SELECT file, offset FROM articles WHERE record_id = ?", name).fetchone()
                if there is not None:
                    if (there["file"], there["offset"]) <= (row["file"], row["offset"]):
                        continue
                    db.execute("DELETE FROM articles WHERE record_id = ?", name)
                db.execute(_insert("articles", row), row)

    def forget(self, file: str) -> None:
        """Drop what the WARC file with the storage key *file* held; whoever mended it enters it anew."""
        with self._writing() as db:
            db.execute("DELETE FROM captures WHERE file = ?", (file,))
            db.execute("DELETE FROM articles WHERE file = ?", (file,))

    # ---- captures

    def original(self, payload_digest: str, url: str = "") -> Capture | None:
        """Return the earliest whole response with that payload, to which a revisit may refer; rather one of *url*."""
        return self._capture(
            "record_type = 'response' AND truncated IS NULL AND status IS NOT NULL AND payload_digest = ?"
            " ORDER BY url = ? DESC, captured_at, file, offset",
            payload_digest,
            url,
        )

    def latest(self, url: str, *, status: int | None = None) -> Capture | None:
        """Return the last capture of exactly *url*, of whatever type, or the last with that HTTP *status*."""
        newest = "ORDER BY captured_at DESC, file DESC, offset DESC"
        if status is None:
            return self._capture(f"url = ? {newest}", url)
        return self._capture(f"url = ? AND status = ? {newest}", url, status)

    def nearest(self, url: str, at: datetime, *, status: int) -> Capture | None:
        """Return the capture of exactly *url* with that HTTP *status* nearest to *at*; of two as near, the earlier."""
        return self._capture(
            "url = ? AND status = ? ORDER BY abs(julianday(captured_at) - julianday(?)), captured_at, file, offset",
            url,
            status,
            iso(at),
        )

    def capture(self, record_id: str) -> Capture | None:
        """Return the capture that the record with that id is."""
        return self._capture("record_id = ?", record_id)

    def unread(self, file: str, mimes: Collection[str]) -> Iterator[Capture]:
        """Yield the captures in the WARC *file* that answered 200, or have no status, and have no article yet.

        Of those whose type is not known, as of revisits without a head, or is one of *mimes*; in file order.
        """
        kinds = ", ".join("?" * len(mimes))
        with self._reading() as db:
            numbers = [
                row[0]
                for row in db.execute(
                    f"SELECT rowid FROM captures WHERE file = ? AND (mime IS NULL OR mime IN ({kinds}))"  # noqa: S608 - marks alone
                    " AND (status = 200 OR status IS NULL AND record_type != 'response') AND NOT EXISTS"
                    " (SELECT 1 FROM articles WHERE capture_id = captures.record_id) ORDER BY offset",
                    (file, *mimes),
                )
            ]
        for start in range(0, len(numbers), 500):
            with self._reading() as db:
                rows = db.execute(
                    "SELECT * FROM captures WHERE rowid IN (SELECT value FROM json_each(?)) ORDER BY offset",
                    (json.dumps(numbers[start : start + 500]),),
                ).fetchall()
            yield from map(capture_of, rows)

    def is_empty(self) -> bool:
        """Whether it knows of no capture at all."""
        with self._reading() as db:
            return db.execute("SELECT 1 FROM captures LIMIT 1").fetchone() is None

    # ---- articles

    def articles(
        self,
        query: str | None = None,
        *,
        publisher: str | None = None,
        author: str | None = None,
        section: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
        limit: int = 20,
    ) -> list[Hit]:
        """Return articles, each once, in its newest version as of *as_of*; see :mod:`archive.catalog.query`.

        Best first with a *query*, newest first without. Publication lies at or after *since* and before *until* (the
        time of capture counts where no publication is known). *author* may be a part of a name; case and accents do
        not count in *publisher*, *author* and *section*. Raises ``QueryError``, a ``ValueError``, for a query without
        meaning.
        """
        with self._reading() as db:
            return find(
                db,
                query,
                publisher=publisher,
                author=author,
                section=section,
                since=since,
                until=until,
                as_of=as_of,
                limit=limit,
            )

    def article(self, url: str, at: datetime | None = None) -> tuple[Article, Place] | None:
        """Return an article as its capture nearest to *at* shows it, or as the newest does.

        *url* is the article's, with whatever scheme or tracking parameters, one that was redirected to it, an identity,
        or else one that looks like another form of it, or that it names as its canonical, AMP or print address. A block
        page or consent wall is given only when there is nothing else.
        """
        versions = self.versions(url)
        content = [version for version in versions if version.article.page_kind not in EVIDENCE_KINDS] or versions
        if not content:
            return None
        chosen = content[-1]
        if at is not None:
            chosen = min(content, key=lambda version: _distance(version.article.captured_at, at))
        return chosen.article, chosen.place

    def each(
        self,
        query: str | None = None,
        *,
        urls: Collection[str] = (),
        by_partition: bool = False,
        limit: int | None = None,
        **filters: Any,
    ) -> Iterator[Hit]:
        """Yield what :meth:`articles` finds with the same *filters*, newest first, any number in little memory.

        Of the articles at *urls* alone, when there are any; *by_partition*: by publisher and year first. What is
        entered meanwhile may be missing, what is removed is.
        """
        with self._reading() as db:
            identities = [identity_at(db, url) or "" for url in urls]
            numbers = numbers_of(
                db, query, identities if urls else None, by_partition=by_partition, limit=limit, **filters
            )
        for start in range(0, len(numbers), _READ_AT_ONCE):
            some = numbers[start : start + _READ_AT_ONCE]
            with self._reading() as db:
                found = dict(hits_of(db, some))
            yield from (found[number] for number in some if number in found)

    def conversions(self, capture_id: str) -> list[Place]:
        """Return where the articles lie that were extracted from the capture with that record id."""
        with self._reading() as db:
            rows = db.execute("SELECT * FROM articles WHERE capture_id = ? ORDER BY file, offset", (capture_id,))
            return [place_of(row) for row in rows]

    def article_in(self, capture_id: str) -> Article | None:
        """Return the article in the capture with that record id, in its latest extraction."""
        with self._reading() as db:
            row = db.execute(
                "SELECT * FROM articles WHERE capture_id = ? ORDER BY file DESC, offset DESC LIMIT 1", (capture_id,)
            ).fetchone()
        return article_of(row) if row is not None else None

    def grouped(self, query: str | None = None, *, limit: int = 20, **filters: Any) -> list[Hit]:
        """Return what :meth:`articles` does, of each group only its first; with the groups."""
        asked = dict.fromkeys(("publisher", "author", "section", "since", "until", "as_of")) | filters
        with self._reading() as db, snapshot(db):
            groups = Groups(db)
            count = limit
            while True:
                hits = find(db, query, limit=count, **asked)
                found: dict[str, Hit] = {}
                for hit in hits:
                    group = groups.group(hit.identity)
                    found.setdefault(group.id, replace(hit, group=group))
                if len(found) >= limit or len(hits) < count:
                    return list(found.values())[:limit]
                count *= 2

    def in_groups(self, hits: Iterable[Hit]) -> list[Hit]:
        """Return *hits*, each with the group of those that show the same text elsewhere, as it is now."""
        with self._reading() as db, snapshot(db):
            groups = Groups(db)
            return [replace(hit, group=groups.group(hit.identity)) for hit in hits]

    def same_as(self, article: Article) -> list[Same]:
        """Return where else *article*, which is of this catalogue, stands: its group, then other languages."""
        with self._reading() as db, snapshot(db):
            return Groups(db).same_as(identity_of(article), article.url)

    def extracted(self, capture_id: str) -> tuple[str | None, str] | None:
        """Return title and page kind of what was extracted from the capture with that record id."""
        with self._reading() as db:
            row = db.execute(
                "SELECT title, page_kind FROM articles WHERE capture_id = ? ORDER BY file DESC, offset DESC LIMIT 1",
                (capture_id,),
            ).fetchone()
        return (row["title"], row["page_kind"]) if row is not None else None

    def read_from(self, capture_id: str) -> Article | None:
        """Return what was extracted from the capture with that record id, the last time."""
        with self._reading() as db:
            row = db.execute(
                "SELECT * FROM articles WHERE capture_id = ? ORDER BY file DESC, offset DESC LIMIT 1", (capture_id,)
            ).fetchone()
        return article_of(row) if row is not None else None

    def earlier(self, article: Article, is_listing: IsListing = is_front) -> Earlier:
        """Return what was held of *article* before it was captured (:mod:`archive.catalog.history`)."""
        with self._reading() as db:
            return earlier(db, article, is_listing)

    def shown_at(self, url: str) -> Article | None:
        """Return the last reading of the article at *url*, whatever became of the page since; None if it was none."""
        with self._reading() as db:
            return shown_at(db, url)

    def standing_before(self, url: str, at: datetime, is_listing: IsListing = is_front) -> Standing | None:
        """Return whether the page at exactly *url* was there or gone when it was captured last, before *at*."""
        with self._reading() as db:
            return standing_before(db, url, at, is_listing)

    def facts(self, host: str, limit: int) -> list[Fact]:
        """Return what drift is told from: of the newest *limit* captures of *host*, in the order of capture.

        *host* is as ``host_of`` gives it. Of a capture that was extracted several times the latest counts.
        """
        with self._reading() as db:
            rows = db.execute(
                # All pages of the host, whatever its port, and few of others (normalised addresses, "/" is before ":").
                "SELECT * FROM articles WHERE page >= ? AND page < ?"
                " ORDER BY captured_at DESC, file DESC, offset DESC LIMIT ?",
                (f"{host}/", f"{host};", limit),
            )
            latest: dict[str, Fact] = {}
            for row in rows:
                fact = fact_of(article_of(row))
                if fact.host == host:
                    latest.setdefault(row["capture_id"] or row["record_id"], fact)
        return list(latest.values())[::-1]

    # ---- what is watched

    def history(self, url: str, limit: int) -> list[Capture]:
        """Return the last *limit* captures of exactly *url* that hold an answer, the oldest first."""
        with self._reading() as db:
            return watching.history(db, url, limit)

    def readings(self, page: str) -> list[watching.Reading]:
        """Return what was read from the captures of the normalised address *page*, in the order of capture."""
        with self._reading() as db:
            return watching.readings(db, page)

    def young(self, hosts: Iterable[str], since: datetime) -> list[str]:
        """Return the URLs of articles of *hosts* that say that they were published at *since* or later."""
        with self._reading() as db:
            return watching.young(db, hosts, since)

    def versions(self, url: str) -> list[Version]:
        """Return an article as each capture showed it, in time order, in the latest extraction of each.

        *url* is what :meth:`article` takes.
        """
        with self._reading() as db:
            identity = identity_at(db, url)
            if identity is None:
                return []
            rows = db.execute(
                "SELECT * FROM article_versions WHERE identity = ? ORDER BY captured_at, file, offset", (identity,)
            ).fetchall()
        return [Version(article_of(row), place_of(row), row["record_id"], bool(row["changed"])) for row in rows]

    # ---- the whole

    def files(self) -> set[str]:
        """Return the storage keys of all WARC files of which it holds something."""
        with self._reading() as db:
            return {row[0] for row in db.execute("SELECT file FROM captures UNION SELECT file FROM articles")}

    def dump(self) -> Iterator[str]:
        """Yield every row as a line of JSON, in an order that does not depend on how the catalogue was filled."""
        for table in ("articles", "captures"):
            after = ""
            while rows := self._some_rows(table, after):
                for row in rows:
                    values = {key: row[key] for key in row.keys() if key != "id"}  # noqa: SIM118 - a Row iterates over values
                    yield json.dumps({"table": table, **values}, ensure_ascii=False, sort_keys=True, default=bytes.hex)
                after = rows[-1]["record_id"]

    def _some_rows(self, table: str, after: str) -> list[sqlite3.Row]:
        with self._reading() as db:
            return db.execute(
                f"SELECT * FROM {table} WHERE record_id > ? ORDER BY record_id LIMIT 500",  # noqa: S608 - a name of ours
                (after,),
            ).fetchall()

    def check(self) -> None:
        """Raise ``IndexDamaged`` unless the file is sound and the full-text index holds what the articles say."""
        with self._reading() as db:
            (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                raise IndexDamaged(str(self.path), " ".join(said.split()))
            db.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
            for kept, told in (("claims", "claimed"), ("bands", "banded")):
                columns = "place, role, language, article" if kept == "claims" else "band, fingerprint"
                unlike = " UNION ALL ".join(
                    f"SELECT 1 FROM (SELECT {columns} FROM {one} EXCEPT SELECT {columns} FROM {other})"  # noqa: S608 - names of ours
                    for one, other in ((kept, told), (told, kept))
                )
                if db.execute(f"{unlike} LIMIT 1").fetchone():
                    raise IndexDamaged(str(self.path), f"its {kept} are not those of its articles")

    # ---- within

    def _capture(self, where: str, *values: str | int) -> Capture | None:
        with self._reading() as db:
            row = db.execute(f"SELECT * FROM captures WHERE {where} LIMIT 1", values).fetchone()  # noqa: S608 - as above
        return capture_of(row) if row is not None else None

    def _inode_now(self) -> tuple[int, int]:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return (0, 0)
        return (found.st_dev, found.st_ino)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._gate.held(), translated(self.path):
            if self._inode_now() != self._inode:  # a rebuild has put another file in its place
                self._db.close()
                self._db = schema.connect(self.path)
                self._inode = self._inode_now()
            yield self._db

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db, transaction(db):
            yield db


def _insert(table: str, row: dict[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})"  # noqa: S608 - our names


def _upsert(row: dict[str, Any]) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in row)
    return (
        f"{_insert('captures', row)} ON CONFLICT (record_id) DO UPDATE SET {changes}"
        " WHERE (excluded.file, excluded.offset) < (captures.file, captures.offset)"
    )


def _distance(captured_at: str | None, at: datetime) -> timedelta:
    try:
        return abs(parse_iso(captured_at or "") - at)
    except ValueError:
        return timedelta.max
