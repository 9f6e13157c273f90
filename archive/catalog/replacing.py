"""Putting a catalogue made anew in the place of one in use.

SQLite keeps what was written last in files beside the database, found by its name, so no other connection may be at
work while the name changes hands. Whoever uses a catalogue holds a lock on the file ``<name>.lock`` for each operation,
shared with others; the change of hands holds it alone. Afterwards the others find another file there, and open it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from archive.catalog import schema
from archive.errors import IndexDamaged
from archive.files import sync_directory
from archive.sqlite import transaction, translated


class Gate:
    """The lock beside the catalogue *path*. One thread at a time uses it."""

    def __init__(self, path: Path) -> None:
        with translated(path):
            self._file = path.with_name(path.name + ".lock").open("ab")

    def close(self) -> None:
        self._file.close()

    @contextlib.contextmanager
    def held(self, *, alone: bool = False) -> Iterator[None]:
        """Hold the lock, *alone* or shared; waits for whoever holds it."""
        fcntl.flock(self._file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def put_in_place(new: Path, target: Path, keeps: Callable[[str], bool]) -> None:
    """Make the catalogue *new* the one at *target*, durable and whole, then forget *new*.

    Rows of *target* whose WARC file *keeps* are carried over: a writer's files that were not published when *new* was
    filled. A *target* that cannot be read gives way with nothing carried over.
    """
    gate = Gate(target)
    try:
        with gate.held(alone=True), translated(target):
            fresh = schema.connect(new)
            try:
                if target.exists():
                    with contextlib.suppress(IndexDamaged):
                        _carry_over(target, fresh, keeps)
                fresh.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                fresh.execute("PRAGMA journal_mode = DELETE")  # nothing may be left beside the file
            finally:
                fresh.close()
            with new.open("rb") as file:
                os.fsync(file.fileno())
            for suffix in ("-wal", "-shm"):
                target.with_name(target.name + suffix).unlink(missing_ok=True)
            os.replace(new, target)
            sync_directory(target.parent)
    finally:
        gate.close()


def _carry_over(target: Path, fresh: sqlite3.Connection, keeps: Callable[[str], bool]) -> None:
    old = schema.connect(target)
    try:
        # What is written in the file beside the database goes into it: without that file it must be whole.
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for table in ("captures", "articles"):
            files = [row[0] for row in old.execute(f"SELECT DISTINCT file FROM {table}")]  # noqa: S608 - a name of ours
            for file in files:
                if not keeps(file):
                    continue
                rows = old.execute(f"SELECT * FROM {table} WHERE file = ?", (file,))  # noqa: S608 - a name of ours
                names = [column[0] for column in rows.description if column[0] != "id"]
                with transaction(fresh):
                    fresh.executemany(
                        f"INSERT OR IGNORE INTO {table} ({', '.join(names)})"  # noqa: S608 - names of ours
                        f" VALUES ({', '.join(':' + name for name in names)})",
                        (dict(row) for row in rows),
                    )
    except sqlite3.DatabaseError as error:
        raise IndexDamaged(str(target), str(error)) from error
    finally:
        old.close()
