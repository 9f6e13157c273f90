"""What a run of bulk extraction has done: page by page, in a SQLite file beside its output, or in a temporary one.

Pages are taken in an order that depends on the inputs alone, so the number of a page says which one it is. With each
the journal keeps where its result ends in the output and a checksum of it; a result and its row are written in this
order, so after a kill the output may be longer than the journal says, never shorter. After a power cut either may have
lost its end: whatever does not fit the checksums is cut off, and its pages are extracted again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from archive.drift import Fact
from archive.errors import ArchiveError
from archive.sqlite import create, translated

_TABLES = """
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE inputs (n INTEGER PRIMARY KEY, path TEXT NOT NULL, state TEXT NOT NULL) STRICT;
CREATE TABLE pages (
    n       INTEGER PRIMARY KEY,
    ends    INTEGER NOT NULL,  -- where its result ends in the output
    crc     INTEGER NOT NULL,  -- of its result
    failed  INTEGER NOT NULL,
    host    TEXT NOT NULL,     -- from here on a Fact
    at      TEXT NOT NULL,
    url     TEXT NOT NULL,
    title   TEXT,
    kind    TEXT NOT NULL,
    length  INTEGER NOT NULL,
    has     TEXT NOT NULL,
    section TEXT
) STRICT;
"""
_SCHEMA = 1  # PRAGMA user_version


class NotResumable(ArchiveError):
    """What is there was made of other files, or in another way: it cannot be gone on with."""


@dataclass(frozen=True, slots=True)
class Done:
    """One page that is done: its number from 1, where its result ends in the output, and that result's CRC-32."""

    n: int
    ends: int
    crc: int


class Journal:
    """The journal in the file *path*, which is made when it is not there; a temporary one without *path*."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        with self._translated():
            self._db = sqlite3.connect(path or "", isolation_level=None)
            self._db.row_factory = sqlite3.Row
            # What a kill leaves is whole and complete; what a power cut leaves is whole, and ends at the last sync.
            for pragma in ("journal_mode = WAL", "synchronous = NORMAL") if path else ("journal_mode = OFF",):
                self._db.execute(f"PRAGMA {pragma}")
            create(self._db, _TABLES, _SCHEMA)

    def close(self) -> None:
        self._db.close()

    # ---- what it is made of

    def begin(self, notes: Mapping[str, str], inputs: list[tuple[str, str]]) -> None:
        """Say how results are made (*notes*) and of which files, each with its state; or that it is still the same.

        Raises ``NotResumable`` when it was begun with others.
        """
        with self._translated():
            rows = self._db.execute("SELECT name, value FROM notes")
            before = {row["name"]: row["value"] for row in rows if row["name"] != "synced"}
            if before:
                for name, value in notes.items():
                    if before.get(name) != value:
                        raise NotResumable(f"it was begun with {name} {before.get(name)}, not {value}")
                self._compare(inputs)
                return
            self._db.execute("BEGIN")
            self._db.executemany("INSERT INTO inputs (path, state) VALUES (?, ?)", inputs)
            self._db.executemany("INSERT INTO notes VALUES (?, ?)", notes.items())
            self._db.execute("COMMIT")

    def _compare(self, inputs: list[tuple[str, str]]) -> None:
        before = [(row["path"], row["state"]) for row in self._db.execute("SELECT path, state FROM inputs ORDER BY n")]
        if before == inputs:
            return
        then, now = dict(before), dict(inputs)
        for path, state in now.items():
            if path not in then:
                raise NotResumable(f"{path} was not among the files it was begun with")
            if then[path] != state:
                raise NotResumable(f"{path} has changed since then ({then[path]}, now {state})")
        for path in then:
            if path not in now:
                raise NotResumable(f"{path} was among the files it was begun with, and is not now")
        raise NotResumable("its files were given in another order")

    # ---- pages done

    def add(self, done: Done, fact: Fact, *, failed: bool) -> None:
        """Say that a page is done, and what drift is told from."""
        values = (done.n, done.ends, done.crc, failed, fact.host, fact.at, fact.url, fact.title, fact.kind, fact.length)
        with self._translated():
            self._db.execute(
                "INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, " ".join(sorted(fact.has)), fact.section),
            )

    def synced(self) -> None:
        """Make durable that all pages so far are done; their results must be durable already."""
        with self._translated():
            self._db.execute(
                "INSERT OR REPLACE INTO notes SELECT 'synced', CAST(coalesce(max(n), 0) AS TEXT) FROM pages"
            )
            if self.path is not None:
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def sure(self) -> Done:
        """Return the last page that was made durable; number 0, which ends at 0, when there is none."""
        with self._translated():
            row = self._db.execute(
                "SELECT n, ends, crc FROM pages WHERE n <= (SELECT value + 0 FROM notes WHERE name = 'synced')"
                " ORDER BY n DESC LIMIT 1"
            ).fetchone()
        return Done(*row) if row is not None else Done(0, 0, 0)

    def after(self, n: int) -> Iterator[Done]:
        """Yield the pages done behind the *n*-th, in order."""
        with self._translated():
            rows = self._db.execute("SELECT n, ends, crc FROM pages WHERE n > ? ORDER BY n", (n,))
            yield from (Done(*row) for row in rows)

    def forget_after(self, n: int) -> None:
        """Drop what is known of pages behind the *n*-th: they are to be done again."""
        with self._translated():
            self._db.execute("DELETE FROM pages WHERE n > ?", (n,))

    def kinds(self) -> Mapping[str, int]:
        """Return how many pages of each kind are done; those that were given up count under ``""``."""
        with self._translated():
            rows = self._db.execute(
                "SELECT CASE WHEN failed THEN '' ELSE kind END, count(*) FROM pages GROUP BY 1 ORDER BY 2 DESC, 1"
            )
            return MappingProxyType({row[0]: row[1] for row in rows})

    def facts(self) -> Iterator[Fact]:
        """Yield what is known of all pages, host by host, each host's in the order in which they were captured."""
        with self._translated():
            for row in self._db.execute("SELECT * FROM pages ORDER BY host, at, n"):
                yield Fact(
                    host=row["host"],
                    url=row["url"],
                    at=row["at"],
                    title=row["title"],
                    kind=row["kind"],
                    length=row["length"],
                    has=frozenset(row["has"].split()),
                    section=row["section"],
                )

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self.path or Path("a temporary file"), "the journal", "remove it and begin anew")
