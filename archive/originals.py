"""Where payloads lie that revisits of the same files refer to.

A revisit holds no payload: its original may stand in another file, before it or after it. So each page that is passed
is noted, by record id and by digest, and a revisit whose original has not come yet waits until all files are read. In a
temporary SQLite database without a name: beyond its cache of 2 MB any number of pages takes room on disk, not in
memory.
"""

from __future__ import annotations

import pickle
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast

from archive.scan import Scanned, read_record

T = TypeVar("T")
MEMBER = "!"  # between a WACZ package and the name of its member


class Originals(Generic[T]):
    """Pages passed, by record id and payload digest; revisits of a kind *T* that wait for theirs."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE places (key TEXT PRIMARY KEY, path, member, offset, length) WITHOUT ROWID")
        self._db.execute("CREATE TABLE waiting (n INTEGER PRIMARY KEY, revisit BLOB)")

    def note(self, keys: tuple[str | None, ...], path: str, member: str | None, offset: int, length: int) -> None:
        """Remember where the record lies that is known by *keys*; the first under a key stays."""
        for key in filter(None, keys):
            self._db.execute("INSERT OR IGNORE INTO places VALUES (?, ?, ?, ?, ?)", (key, path, member, offset, length))

    @contextmanager
    def opened(self, keys: tuple[str | None, ...]) -> Iterator[Scanned | None]:
        """Give the record known by the first of *keys* that is known at all; None when there is none.

        Raises ``OSError``, ``MalformedRecord`` or ``zipfile.BadZipFile`` when its file is no longer as it was.
        """
        place = self._place(keys)
        if place is None:
            yield None
            return
        path, member, offset, length = place
        with _file(path, member) as file, read_record(file, offset, length) as record:
            yield record

    def _place(self, keys: tuple[str | None, ...]) -> tuple[Any, ...] | None:
        for key in filter(None, keys):
            found = self._db.execute("SELECT path, member, offset, length FROM places WHERE key = ?", (key,)).fetchone()
            if found is not None:
                return cast("tuple[Any, ...]", found)
        return None

    def wait(self, revisit: T) -> None:
        """Keep *revisit*, which must pickle, until all files are read."""
        self._db.execute("INSERT INTO waiting (revisit) VALUES (?)", (pickle.dumps(revisit),))

    def waiting(self) -> Iterator[T]:
        """Yield what waits, in the order in which it came."""
        last = 0
        while (
            row := self._db.execute("SELECT n, revisit FROM waiting WHERE n > ? LIMIT 1", (last,)).fetchone()
        ) is not None:
            last = row[0]
            yield pickle.loads(row[1])  # noqa: S301 - our own, out of a file without a name

    def close(self) -> None:
        self._db.close()


@contextmanager
def _file(path: str, member: str | None) -> Iterator[BinaryIO]:
    with Path(path).open("rb") as file:
        if member is None:
            yield file
        else:
            with zipfile.ZipFile(file) as package, package.open(member) as inner:
                yield cast("BinaryIO", inner)
